import { useState } from "react";
import { save } from "@/files/saving";
import { useKeeping } from "@/state/browserStores";
import { t } from "@/strings";

/** Tells that the browser does not keep what the editor gives it, as long as it is so, and what to do. */
export function KeepingNotice() {
  const { losesEdits, losesRest } = useKeeping();
  const [read, setRead] = useState(false);
  if (losesEdits)
    return (
      <p className="lasting" role="alert">
        {t("losesEdits")} <button onClick={() => void save()}>{t("save")}</button>
      </p>
    );
  if (!losesRest || read) return null;
  return (
    <p className="lasting" role="alert">
      {t("losesRest")} <button onClick={() => setRead(true)}>{t("close")}</button>
    </p>
  );
}
