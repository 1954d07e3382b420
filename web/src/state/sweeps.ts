/** The sweep of each tab: what was chosen, and what was queued. It outlives its panel and the page. */
import { create } from "zustand";
import type { Cell, Overrides } from "@/model/sweep";
import { isRecord, listOf, ofBrowser, readJson } from "./browserStores";

/** An input, and its values as they are typed. */
export interface AxisChoice {
  readonly node: string;
  readonly input: string;
  readonly text: string;
}

export interface QueuedCell extends Cell {
  readonly job: string;
}

export interface Sweep {
  /** Across, then down. */
  readonly axes: readonly (AxisChoice | null)[];
  readonly queued: readonly QueuedCell[];
}

const KEY = "nodegraph.sweep.";
const NONE: Sweep = { axes: [null, null], queued: [] };

const useSweeps = create<Readonly<Record<string, Sweep>>>(() => ({}));

/** The sweep of a tab, and how it is changed. */
export function useSweep(tab: string): [Sweep, (change: Partial<Sweep>) => void] {
  const sweep = useSweeps((state) => state[tab]) ?? readSweep(tab);
  return [sweep, (change) => setSweep(tab, change)];
}

const read = new Map<string, Sweep>();

function readSweep(tab: string): Sweep {
  const sweep = read.get(tab) ?? readJson(ofBrowser, KEY + tab, isSweep) ?? NONE;
  read.set(tab, sweep);
  return sweep;
}

export function setSweep(tab: string, change: Partial<Sweep>): void {
  const sweep = { ...(useSweeps.getState()[tab] ?? readSweep(tab)), ...change };
  useSweeps.setState({ [tab]: sweep });
  ofBrowser.write(KEY + tab, JSON.stringify(sweep));
}

/** Forget the sweep of a tab that is gone for good. */
export function forgetSweep(tab: string): void {
  ofBrowser.remove(KEY + tab);
}

/** What a cell differs in, such as `sampler.cfg 7 · sampler.steps 20`. */
export function valuesOf(overrides: Overrides): string {
  const told = Object.entries(overrides).map(([place, value]) => `${place} ${String(value)}`);
  return told.join(" · ");
}

/** What a job of a sweep in this browser tab differs in from the others of it. */
export function useSweptValues(job: string): string | undefined {
  return useSweeps((sweeps) => {
    const cells = Object.values(sweeps).flatMap(({ queued }) => queued);
    const cell = cells.find((one) => one.job === job);
    return cell && valuesOf(cell.overrides);
  });
}

/** Read the sweeps of tabs that are open, so that their jobs can be told apart. */
export function readSweeps(tabs: readonly string[]): void {
  useSweeps.setState(Object.fromEntries(tabs.map((tab) => [tab, readSweep(tab)])));
}

export function isSweep(value: unknown): value is Sweep {
  if (!isRecord(value)) return false;
  const { axes, queued } = value;
  return listOf(isAxis)(axes) && axes.length === 2 && listOf(isCell)(queued);
}

function isAxis(value: unknown): value is AxisChoice | null {
  const fields = ["node", "input", "text"];
  return value === null || (isRecord(value) && fields.every((field) => typeof value[field] === "string"));
}

const isNumber = (value: unknown): value is number => typeof value === "number";

function isCell(value: unknown): value is QueuedCell {
  if (!isRecord(value) || typeof value["job"] !== "string") return false;
  return isRecord(value["overrides"]) && listOf(isNumber)(value["place"]);
}
