import { afterEach, expect, it, vi } from "vitest";
import { newId } from "./ids";

afterEach(() => vi.unstubAllGlobals());

it("ids differ, also in a page that came by plain HTTP", () => {
  const getRandomValues = crypto.getRandomValues.bind(crypto);
  vi.stubGlobal("crypto", { getRandomValues });
  const ids = Array.from({ length: 1000 }, newId);
  expect(new Set(ids).size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
