import { useEffect, useSyncExternalStore } from "react";
import { useSettings } from "@/state/settings";

const LIGHT = matchMedia("(prefers-color-scheme: light)");

function subscribe(onChange: () => void): () => void {
  LIGHT.addEventListener("change", onChange);
  return () => LIGHT.removeEventListener("change", onChange);
}

/** The theme in use; also sets it on the document. */
export function useTheme(): "dark" | "light" {
  const chosen = useSettings((settings) => settings.theme);
  const system = useSyncExternalStore(subscribe, () => (LIGHT.matches ? "light" : "dark"));
  const theme = chosen === "system" ? system : chosen;
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return theme;
}
