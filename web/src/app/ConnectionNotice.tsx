import { useConnection } from "@/state/connection";
import { useCatalogue } from "@/state/catalogue";
import { t } from "@/strings";

/** Tells that the server is gone, and that nothing is lost by that. */
export function ConnectionNotice() {
  const connected = useConnection((state) => state.status);
  const failed = useCatalogue((state) => state.status === "failed");
  if (connected !== "lost" && !failed) return null;
  return (
    <p className="notice" role="alert">
      {t("serverGone")}
    </p>
  );
}
