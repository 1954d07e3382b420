/**
 * The panels, in a real browser against a real server with an empty queue; see files.test.mjs for the address.
 */
import assert from "node:assert/strict";
import { env } from "node:process";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { chromium } from "playwright-core";

const EDITOR = env.NODEGRAPH_EDITOR ?? "http://127.0.0.1:8188";
let browser, page;

before(async () => {
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(() => browser.close());
beforeEach(async () => {
  page = await browser.newPage();
  await page.goto(EDITOR);
  await page.getByRole("button", { name: "Templates" }).click();
  await page.getByRole("button", { name: /Open Text to image/ }).click();
  await page.locator(".react-flow__node").first().waitFor();
});
afterEach(() => page.close());

const panel = (name) => page.getByRole("button", { name, exact: true }).click();
const waiting = () => page.locator(".panel-list li[draggable] .grow");

test("the queue is paused, put in another order and emptied", async () => {
  await panel("Queue");
  await panel("Pause the queue");
  await page.getByRole("button", { name: "Go on with the queue" }).waitFor();
  await page.getByLabel("How many runs").fill("3");
  await page.getByRole("button", { name: /^Run( \(|$)/ }).click();
  await waiting().nth(2).waitFor();
  const [first, second, third] = await waiting().allTextContents();
  await page.getByRole("button", { name: `Move ${third} up` }).click();
  await page.waitForFunction(
    `document.querySelectorAll("li[draggable] .grow")[1]?.textContent === ${JSON.stringify(third)}`,
  );
  assert.deepEqual(await waiting().allTextContents(), [first, third, second]);
  for (const job of [first, second, third]) {
    await page.getByRole("button", { name: `Cancel ${job}` }).click();
    await waiting().filter({ hasText: job }).waitFor({ state: "detached" });
  }
  await panel("Go on with the queue");
  await page.getByRole("button", { name: "Pause the queue" }).waitFor();
});

test("nodes are found by a word of their documentation, and added", async () => {
  await panel("Nodes");
  await page.getByRole("searchbox", { name: "Search" }).fill("histogram");
  await page.getByRole("button", { name: /^Add .*Histogram/ }).click();
  assert.match(await page.getByRole("button", { name: "Undo" }).getAttribute("title"), /add .*Histogram/);
});

test("a theme is kept over a reload", async () => {
  await panel("Settings");
  await page.getByRole("radio", { name: "light" }).check();
  await page.reload();
  await page.waitForFunction(`document.documentElement.dataset.theme === "light"`);
});

test("every key is on the sheet", async () => {
  await panel("Shortcuts");
  for (const key of ["Ctrl+S", "Ctrl+Enter", "Alt+Q"])
    await page.locator(".shortcuts kbd", { hasText: key }).first().waitFor();
});
