import { useEffect } from "react";
import { Canvas } from "@/canvas/Canvas";
import { loadCatalogue } from "@/state/catalogue";
import { watchDocument } from "@/state/check";
import { findSession, useSession } from "@/state/session";
import { watchOwnNodes } from "@/state/ownNodes";
import { watchRuns, watchForRuns } from "@/state/running";
import { ChangedElsewhere, FileQuestions } from "@/files/FileQuestions";
import { OwnNodeQuestions } from "@/files/OwnNodeQuestions";
import { beginFiles } from "@/files/begin";
import { watchLog } from "@/panels/log";
import { registerPanels } from "@/panels/register";
import { useTheme } from "@/theme/useTheme";
import { Announcer } from "./Announcer";
import "./app.css";
import { handleKey, registerCommands } from "./commands";
import { appCommands } from "./appCommands";
import { CanvasBoundary } from "./Failed";
import { ConnectionNotice } from "./ConnectionNotice";
import { KeepingNotice } from "./KeepingNotice";
import { IssueList } from "./IssueList";
import { watchRoom } from "./panels";
import { SidePanels } from "./SidePanels";
import { SignIn, SignInAgain } from "./SignIn";
import { Tabs } from "./Tabs";
import { TopBar } from "./TopBar";
import { Trail } from "./Trail";

/** The editor, once the server lets this browser in. */
export function App() {
  const status = useSession((session) => session.status);
  useEffect(() => void findSession(), []);
  if (status === "asking") return null;
  if (status === "needed") return <SignIn />;
  return (
    <>
      <Editor />
      {status === "again" && <SignInAgain />}
    </>
  );
}

function Editor() {
  useTheme();
  useEffect(start, []);
  return (
    <div className="app">
      <header className="header" data-region="top">
        <Tabs />
        <TopBar />
      </header>
      <div className="middle">
        <SidePanels side="left" />
        <main className="stage">
          <Trail />
          <CanvasBoundary>
            <Canvas />
          </CanvasBoundary>
          <div className="stage-foot">
            <KeepingNotice />
            <ChangedElsewhere />
            <Announcer />
            <IssueList />
          </div>
          <ConnectionNotice />
        </main>
        <SidePanels side="right" />
      </div>
      <FileQuestions />
      <OwnNodeQuestions />
    </div>
  );
}

/** What goes on as long as the editor is open. */
function start(): () => void {
  void loadCatalogue();
  const stops = [
    beginFiles(),
    registerPanels(),
    watchLog(),
    watchDocument(),
    watchRoom(),
    watchOwnNodes(),
    watchRuns(),
    watchForRuns(),
    registerCommands(appCommands),
  ];
  document.addEventListener("keydown", handleKey);
  return () => {
    document.removeEventListener("keydown", handleKey);
    for (const stop of stops) stop();
  };
}
