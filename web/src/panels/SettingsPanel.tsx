import { freeMemory, getSystem } from "@/api/client";
import { tell } from "@/state/announcer";
import { signOut, useSession } from "@/state/session";
import { useSettings, type Theme } from "@/state/settings";
import { t } from "@/strings";
import { Shell } from "./Shell";
import { wordsOf } from "@/state/words";
import { useLoaded } from "./useLoaded";

const THEMES: readonly Theme[] = ["system", "dark", "light"];

/** What a person prefers, and what the server is. */
export default function SettingsPanel() {
  const { theme, snap, minimap, set } = useSettings();
  const { value, problem, reload } = useLoaded(getSystem);
  const free = (results: boolean) =>
    freeMemory(results).then(
      () => tell(t("saidFreed")),
      (error: unknown) => tell(wordsOf(error)),
    );
  const endable = useSession((session) => session.endable);
  const leave = () => signOut().catch((error: unknown) => tell(wordsOf(error)));
  return (
    <Shell problem={problem} onRetry={reload}>
      <fieldset>
        <legend>{t("theme")}</legend>
        {THEMES.map((choice) => (
          <label key={choice} className="row">
            <input
              type="radio"
              name="theme"
              checked={theme === choice}
              onChange={() => set({ theme: choice })}
            />
            {t(`theme_${choice}`)}
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>{t("canvasSettings")}</legend>
        <label className="row">
          <input type="checkbox" checked={snap} onChange={(event) => set({ snap: event.target.checked })} />
          {t("snapSetting")}
        </label>
        <label className="row">
          <input
            type="checkbox"
            checked={minimap}
            onChange={(event) => set({ minimap: event.target.checked })}
          />
          {t("minimapSetting")}
        </label>
      </fieldset>
      <fieldset>
        <legend>{t("language")}</legend>
        <select aria-label={t("language")} defaultValue="en">
          <option value="en">{t("english")}</option>
        </select>
      </fieldset>
      <fieldset>
        <legend>{t("memory")}</legend>
        <button onClick={() => void free(false)}>{t("freeModels")}</button>
        <button onClick={() => void free(true)}>{t("freeResults")}</button>
      </fieldset>
      {endable && <button onClick={() => void leave()}>{t("signOut")}</button>}
      {value && (
        <p className="quiet">
          {t("aboutServer", { version: value.version, torch: value.torch, user: value.user })}
        </p>
      )}
    </Shell>
  );
}
