import { useState, type FormEvent } from "react";
import { ApiError, Unreachable } from "@/api/problems";
import { signIn } from "@/state/session";
import { t } from "@/strings";
import { useTheme } from "@/theme/useTheme";
import "./signIn.css";

/** Asks for a token; everything else waits. */
export function SignIn() {
  useTheme();
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
    <main className="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <h1>{t("signInTitle")}</h1>
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
    </main>
  );
}

function wordsOf(error: unknown): string {
  if (error instanceof Unreachable) return t("signInUnreachable");
  if (!(error instanceof ApiError)) throw error;
  return error.status === 401 ? t("tokenUnknown") : error.detail;
}
