import { useState } from "react";
import { useDocuments, tabOf } from "@/state/documents";
import { t } from "@/strings";
import "./files.css";
import { Modal } from "./Modal";
import { usePlaces } from "./places";
import { openTheirs } from "./opening";
import { ask, overwrite, saveAs, useSaving, type Question } from "./saving";

const close = () => ask(undefined);

/** What saving must ask. */
export function FileQuestions() {
  const question = useSaving((state) => state.question);
  return (
    <>
      {question?.kind === "name" && <NameQuestion key={String(question.taken)} question={question} />}
      {question?.kind === "conflict" && <ConflictQuestion question={question} />}
    </>
  );
}

function NameQuestion({ question }: { question: Question & { kind: "name" } }) {
  const [name, setName] = useState(question.suggested);
  const taken = question.taken === true && name.trim() === question.suggested;
  const problem = question.problem?.name === name.trim() ? question.problem.text : undefined;
  return (
    <Modal title={t("saveName")} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void saveAs(question.tab, name);
        }}
      >
        <label>
          {t("saveName")}
          <input
            autoFocus
            required
            maxLength={200}
            value={name}
            onFocus={(event) => event.target.select()}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <NameHelp problem={problem ?? (taken ? t("saveNameTaken", { name }) : undefined)} />
        <footer>
          <button type="button" onClick={close}>
            {t("dismiss")}
          </button>
          {taken && (
            <button type="button" onClick={() => void overwrite(question.tab, name.trim())}>
              {t("replace")}
            </button>
          )}
          <button className="primary" disabled={taken}>
            {t("save")}
          </button>
        </footer>
      </form>
    </Modal>
  );
}

function NameHelp({ problem }: { problem: string | undefined }) {
  if (problem === undefined) return <p className="quiet">{t("saveNameHelp")}</p>;
  return (
    <p className="problem" role="alert">
      {problem}
    </p>
  );
}

function ConflictQuestion({ question: { tab, place } }: { question: Question & { kind: "conflict" } }) {
  const theirs = () => {
    close();
    void openTheirs(place);
  };
  return (
    <Modal title={t("conflictTitle")} onClose={close}>
      <h2>{t("conflictTitle")}</h2>
      <p>{t("conflictText", { name: place })}</p>
      <div className="choices">
        <button autoFocus onClick={theirs}>
          {t("conflictTheirs")}
        </button>
        <button onClick={() => ask({ kind: "name", tab, suggested: `${place} 2` })}>
          {t("conflictOther")}
        </button>
        <button onClick={() => void overwrite(tab, place)}>{t("conflictMine")}</button>
        <button onClick={close}>{t("dismiss")}</button>
      </div>
    </Modal>
  );
}

/** The news that someone else saved. */
export function ChangedElsewhere() {
  const tab = useDocuments((state) => tabOf(state).key);
  const place = useDocuments((state) => tabOf(state).place);
  const changed = usePlaces(({ changed }) => place !== undefined && changed.has(place));
  if (!changed || place === undefined) return null;
  return (
    <p className="changed-elsewhere" role="status">
      {t("changedElsewhere", { name: place })}{" "}
      <button onClick={() => ask({ kind: "conflict", tab, place })}>{t("look")}</button>
    </p>
  );
}
