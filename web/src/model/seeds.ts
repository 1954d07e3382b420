/** Seeds: whole numbers up to 2^64 - 1, of which those beyond 2^53 are `bigint`. */
import type { Json } from "./document";

export type Seed = number | bigint;
/** What becomes of a seed after it was queued. */
export type AfterRun = "fixed" | "increment" | "decrement" | "randomise";

export const MAX_SEED = 2n ** 64n - 1n;
/** Random seeds stay below this, so that people can read and every program keep them. */
const RANDOM_BELOW = 2 ** 48;

export function asSeed(value: bigint): Seed {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

export function isSeed(value: Json | undefined): value is Seed {
  return (
    typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value) && value >= 0)
  );
}

/** Read what someone typed; `undefined`: it is no seed. */
export function parseSeed(text: string): Seed | undefined {
  const digits = text.trim();
  if (!/^\d{1,20}$/.test(digits)) return undefined;
  const value = BigInt(digits);
  return value <= MAX_SEED ? asSeed(value) : undefined;
}

/** @param random as `Math.random`. */
export function randomSeed(random: () => number = Math.random): Seed {
  return Math.floor(random() * RANDOM_BELOW);
}

/** The seed for the run after one; it goes round at the ends. */
export function nextSeed(seed: Seed, after: AfterRun, random: () => number = Math.random): Seed {
  if (after === "fixed") return seed;
  if (after === "randomise") return randomSeed(random);
  const step = after === "increment" ? 1n : -1n;
  return asSeed((BigInt(seed) + step + MAX_SEED + 1n) % (MAX_SEED + 1n));
}
