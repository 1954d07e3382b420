/**
 * Opening, saving, recovery and conflicts, in a real browser against a real server.
 *
 * NODEGRAPH_EDITOR names the address of a running editor, such as http://127.0.0.1:8188.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { env } from "node:process";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { chromium } from "playwright-core";

const EDITOR = env.NODEGRAPH_EDITOR ?? "http://127.0.0.1:8188";
const FLOW = {
  format: "nodegraph",
  version: 1,
  name: "Dropped",
  nodes: {
    latent: {
      type: "EmptyLatentImage",
      version: 1,
      inputs: { width: 64, height: 64 },
      ui: { position: [0, 0] },
    },
    lost: {
      type: "gone.Node",
      version: 3,
      pack: "gone",
      inputs: { x: 1 },
      ui: { position: [400, 0] },
      odd: [1],
    },
  },
  unknown: { kept: true },
};

let browser, context, page;

before(async () => {
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(() => browser.close());
beforeEach(async () => {
  context = await browser.newContext();
  page = await open();
});
afterEach(() => context.close());

async function open() {
  const fresh = await context.newPage();
  await fresh.goto(EDITOR);
  await fresh.locator(".tab").first().waitFor();
  return fresh;
}

async function drop(where, name, text) {
  const make = `(() => { const d = new DataTransfer(); d.items.add(new File([${JSON.stringify(text)}], "${name}")); return d; })()`;
  const dataTransfer = await where.evaluateHandle(make);
  await where.dispatchEvent(".stage", "drop", { dataTransfer });
  await where.locator(".react-flow__node").first().waitFor();
}

const tabs = (where) => where.locator(".tab").allTextContents();

async function saveAs(where, name) {
  await where.keyboard.press("Control+Shift+S");
  await where.locator("dialog input").fill(name);
  await where.keyboard.press("Enter");
  await where.locator("dialog").waitFor({ state: "detached" });
}

async function openSaved(where, name) {
  await where.getByRole("button", { name: "Workflows", exact: true }).click();
  await where.getByRole("button", { name, exact: true }).click();
  await where.locator(".react-flow__node").first().waitFor();
}

test("a dropped file opens, and is exported as it was: unknown nodes and fields are kept", async () => {
  await drop(page, "x.json", JSON.stringify(FLOW));
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "File", exact: true }).click();
  await page.getByRole("menuitem", { name: "Export JSON" }).click();
  const chunks = await (await (await saved).createReadStream()).toArray();
  assert.deepEqual(JSON.parse(Buffer.concat(chunks).toString()), FLOW);
});

test("two tabs on one workflow do not overwrite each other silently", async () => {
  const name = `conflict ${Date.now()}`;
  await drop(page, "x.json", JSON.stringify(FLOW));
  await saveAs(page, name);
  const other = await open();
  await openSaved(other, name);
  await other
    .locator(".react-flow__node")
    .first()
    .click({ position: { x: 60, y: 12 } });
  await other.keyboard.press("Delete");
  await other.keyboard.press("Control+S");
  await page.locator(".changed-elsewhere").waitFor();
  await page.keyboard.press("Control+S");
  await page.getByRole("button", { name: "Open theirs beside mine" }).click();
  await page.locator(".tab").nth(1).waitFor();
  assert.equal((await tabs(page)).length, 2);
  assert.equal(await page.locator(".react-flow__node").count(), 1);
});

test("what was not saved is open again after the tab was closed", async () => {
  await drop(page, "x.json", JSON.stringify(FLOW));
  await page.waitForTimeout(800);
  await page.close();
  const again = await open();
  await again.locator(".tab", { hasText: "Dropped" }).waitFor();
  assert.equal(await again.locator(".react-flow__node").count(), 2);
});

test("a reload keeps every tab and which was in front", async () => {
  await drop(page, "x.json", JSON.stringify(FLOW));
  await page.getByRole("button", { name: "New workflow" }).click();
  await page.waitForTimeout(800);
  const before = await tabs(page);
  await page.reload();
  await page.locator(".tab", { hasText: "Dropped" }).waitFor();
  assert.deepEqual(await tabs(page), before);
  assert.match(await page.locator(".tab.active").innerText(), /Untitled/);
});
