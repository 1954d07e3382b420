import { useId, useState, type SubmitEvent } from "react";
import type { Expectation } from "@/api/library";
import { ownNode } from "@/model/ownNodes";
import { announce } from "@/state/announcer";
import { bodyInputs } from "@/state/catalogue";
import { currentWorkflow } from "@/state/documents";
import { askOwnNode, useOwnNodeQuestion } from "@/state/ownNodeQuestion";
import { deleteOwnNode, keepOwnNode, renameOwnNode, useOwnNodes } from "@/state/ownNodes";
import { t } from "@/strings";
import "./files.css";
import { Modal } from "./Modal";

const close = () => askOwnNode(undefined);

/** Saving a subgraph as a node, and giving such a node another name or up. */
export function OwnNodeQuestions() {
  const question = useOwnNodeQuestion((state) => state.question);
  if (question === undefined) return null;
  if (question.kind === "save") return <SaveQuestion subgraph={question.subgraph} />;
  return question.kind === "rename" ? (
    <RenameQuestion name={question.name} />
  ) : (
    <DeleteQuestion name={question.name} />
  );
}

/** Do something; the question stays open where it failed, which is told. */
async function closeOnce(done: Promise<boolean>, said: string): Promise<void> {
  if (!(await done)) return;
  close();
  announce(said);
}

function SaveQuestion({ subgraph }: { subgraph: string }) {
  const [name, setName] = useState(subgraph);
  const [description, setDescription] = useState("");
  const taken = useTaken(name);
  const keep = (expected: Expectation) => {
    const wish = name.trim();
    const options = { description: description.trim(), bodyInputs };
    const kept = keepOwnNode(wish, ownNode(currentWorkflow(), subgraph, wish, options), expected);
    void closeOnce(kept, t("saidOwnKept", { name: wish }));
  };
  return (
    <NameForm title={t("ownSave")} name={name} setName={setName} taken={taken} onDone={() => keep("new")}>
      <label>
        {t("ownDescription")}
        <textarea
          rows={3}
          maxLength={2000}
          value={description}
          onChange={(event) => setDescription(event.target.value)}
        />
      </label>
      <Answers taken={taken} label={t("save")}>
        {taken && (
          <button type="button" onClick={() => keep("whatever")}>
            {t("replace")}
          </button>
        )}
      </Answers>
    </NameForm>
  );
}

function RenameQuestion({ name: before }: { name: string }) {
  const [name, setName] = useState(before);
  const taken = useTaken(name) && name.trim() !== before;
  const rename = () => {
    const next = name.trim();
    if (next === before) return close();
    void closeOnce(renameOwnNode(before, next), t("saidOwnKept", { name: next }));
  };
  return (
    <NameForm
      title={t("ownRename", { name: before })}
      name={name}
      setName={setName}
      taken={taken}
      onDone={rename}
    >
      <Answers taken={taken} label={t("rename_")} />
    </NameForm>
  );
}

function DeleteQuestion({ name }: { name: string }) {
  return (
    <Modal title={t("ownDelete", { name })} onClose={close}>
      <h2>{t("ownDelete", { name })}</h2>
      <p>{t("ownDeleteText")}</p>
      <footer>
        <button autoFocus onClick={close}>
          {t("dismiss")}
        </button>
        <button onClick={() => void closeOnce(deleteOwnNode(name), t("saidDeleted", { name }))}>
          {t("delete")}
        </button>
      </footer>
    </Modal>
  );
}

function useTaken(name: string): boolean {
  return useOwnNodes(({ nodes }) => nodes.some((own) => own.name === name.trim()));
}

interface NameFormProps {
  title: string;
  name: string;
  setName: (name: string) => void;
  taken: boolean;
  onDone: () => void;
  children: React.ReactNode;
}

function NameForm({ title, name, setName, taken, onDone, children }: NameFormProps) {
  const help = useId();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onDone();
  };
  return (
    <Modal title={title} onClose={close}>
      <form onSubmit={submit}>
        <h2>{title}</h2>
        <label>
          {t("rename")}
          <input
            autoFocus
            required
            maxLength={100}
            pattern="[^\/]+"
            title={t("ownNameHelp")}
            aria-describedby={help}
            value={name}
            onFocus={(event) => event.target.select()}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <p id={help} className="quiet" role={taken ? "alert" : undefined}>
          {taken ? t("ownTaken", { name: name.trim() }) : t("ownHelp")}
        </p>
        {children}
      </form>
    </Modal>
  );
}

function Answers({ taken, label, children }: { taken: boolean; label: string; children?: React.ReactNode }) {
  return (
    <footer>
      <button type="button" onClick={close}>
        {t("dismiss")}
      </button>
      {children}
      <button className="primary" disabled={taken}>
        {label}
      </button>
    </footer>
  );
}
