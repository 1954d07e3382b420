import { useEffect, useRef, useState, type FormEvent } from "react";
import { ApiError, Unreachable } from "@/api/problems";
import { signIn } from "@/state/session";
import { t } from "@/strings";
import { useTheme } from "@/theme/useTheme";
import "./signIn.css";

/** Asks for a token; everything else waits. */
export function SignIn() {
  useTheme();
  return (
    <main className="sign-in">
      <TokenForm />
    </main>
  );
}

/** Asks for one over the editor, which stays as it is; what was asked of the server meanwhile is done then. */
export function SignInAgain() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = () => dialog.current?.showModal(); // over whatever other dialog is open
  useEffect(() => void open(), []);
  return (
    <dialog
      ref={dialog}
      className="modal sign-in"
      aria-label={t("signInTitle")}
      onCancel={(event) => event.preventDefault()}
      onClose={open}
      onKeyDown={(event) => event.stopPropagation()}
    >
      <TokenForm help={t("signInAgainHelp")} />
    </dialog>
  );
}

function TokenForm({ help }: { help?: string }) {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn(token.trim());
    } catch (error) {
      setProblem(wordsOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <h1>{t("signInTitle")}</h1>
      {help && <p>{help}</p>}
      <p className="quiet">{t("signInHelp")}</p>
      <label htmlFor="token">{t("token")}</label>
      <input
        id="token"
        type="password"
        autoComplete="current-password"
        autoFocus
        required
        value={token}
        aria-describedby="token-problem"
        onChange={(event) => setToken(event.target.value)}
      />
      <p id="token-problem" className="problem" role="alert">
        {problem}
      </p>
      <button className="primary" disabled={busy}>
        {t("signIn")}
      </button>
    </form>
  );
}

function wordsOf(error: unknown): string {
  if (error instanceof Unreachable) return t("signInUnreachable");
  if (!(error instanceof ApiError)) throw error;
  return error.status === 401 ? t("tokenUnknown") : error.detail;
}
