import { en } from "./en";

export type StringKey = keyof typeof en;
type Values = Readonly<Record<string, string | number>>;

/** The text of a key, with `{name}` replaced by the value of that name. */
export function t(key: StringKey, values: Values = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** What the tooltip of a name says: the name, which may be cut, and what it is. */
export function nameAndHelp(name: string, help: string): string {
  return help === "" ? name : `${name}\n${help}`;
}
