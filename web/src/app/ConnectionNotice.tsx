import { useConnection } from "@/state/connection";
import { loadCatalogue, useCatalogue } from "@/state/catalogue";
import { checkSoon } from "@/state/check";
import { t } from "@/strings";

/** Tells that the server is gone, or that something else is in its place, and that nothing is lost by that. */
export function ConnectionNotice() {
  const lost = useConnection((state) => state.status === "lost");
  const failed = useCatalogue((state) => state.status === "failed");
  const problem = useCatalogue((state) => state.problem);
  if (!lost && !failed) return null;
  const again = () => void loadCatalogue().then(checkSoon);
  return (
    <p className="notice" role="alert">
      {failed ? problem : t("serverGone")} {failed && <button onClick={again}>{t("again")}</button>}
    </p>
  );
}
