import { remedied, remedyText, type Remedy } from "@/model/remedy";
import { bodyInputs } from "@/state/catalogue";
import { editWorkflow } from "@/state/documents";
import { t } from "@/strings";

/** Sets what an issue says would do. */
export function RemedyButton({ remedy }: { remedy: Remedy }) {
  if (Object.keys(remedy).length === 0) return null;
  const values = remedyText(remedy);
  const mend = () =>
    editWorkflow({ name: t("stepRemedy", { values }) }, (flow) => remedied(flow, remedy, bodyInputs));
  return (
    <button className="remedy-button nodrag" onClick={mend}>
      {t("useRemedy", { values })}
    </button>
  );
}
