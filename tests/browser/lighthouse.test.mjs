// The page as Lighthouse judges it, and whether Chromium would install it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

import lighthouse from "lighthouse";
import { chromium } from "playwright-core";

import { PAGE, Stack } from "./stack.mjs";

const INVITATION = "#room=nabu-tiko-lasa-romi-dufa&from=Anna";
const FLAGS = ["--headless=new", "--no-sandbox", "--disable-quic", "--disable-background-networking", "--lang=en-US"];

let directory;
let stack;
let browser; // a process with a port for Lighthouse, which Playwright would not tell of

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "homecall-lighthouse-"));
  stack = await Stack.start();
  browser = await startChromium();
});

after(async () => {
  if (browser) {
    browser.child.kill();
    await once(browser.child, "exit");
  }
  await stack?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function startChromium() {
  const program = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const profile = `--user-data-dir=${join(directory, "profile")}`;
  const args = [...FLAGS, profile, "--remote-debugging-port=0", "about:blank"];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface(child.stderr);
  const port = await new Promise((resolve, reject) => {
    child.on("exit", (code) => reject(new Error(`${program} ended at its start with ${code}`)));
    lines.on("line", (line) => {
      const found = line.match(/^DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/);
      if (found) {
        resolve(Number(found[1]));
      }
    });
  });
  return { child, port };
}

/** { accessibility, practices: 0 to 100, faults: the titles of what is not as it should be }. */
async function judge(url) {
  const { lhr } = await lighthouse(url, {
    port: browser.port,
    onlyCategories: ["accessibility", "best-practices"],
    throttlingMethod: "provided",
    disableFullPageScreenshot: true,
    logLevel: "error",
  });
  assert.equal(lhr.runtimeError, undefined);
  const { accessibility, "best-practices": practices } = lhr.categories;
  const weighed = [accessibility, practices].flatMap(({ auditRefs }) => auditRefs).filter(({ weight }) => weight > 0);
  const faults = weighed.map(({ id }) => lhr.audits[id]).filter(({ score }) => score !== null && score < 1);
  const percent = ({ score }) => Math.round(score * 100);
  return {
    accessibility: percent(accessibility),
    practices: percent(practices),
    faults: faults.map(({ id, title }) => `${id}: ${title}`),
  };
}

/** Use a copy of the page in which `change(text)` has replaced the text of a file. */
async function withFault(file, change, use) {
  const page = await mkdtemp(join(directory, "page-"));
  await cp(PAGE, page, { recursive: true });
  const path = join(page, file);
  const text = await readFile(path, "utf8");
  const changed = change(text);
  assert.notEqual(changed, text);
  await writeFile(path, changed);
  const other = await Stack.start({ page });
  try {
    await use(other.url);
  } finally {
    await other.stop();
  }
}

/** What keeps Chromium from installing a page, and its manifest. */
async function installability(url) {
  const connected = await chromium.connectOverCDP(`http://127.0.0.1:${browser.port}`);
  try {
    const [context] = connected.contexts(); // that of the profile: nothing is installed in a private window
    const page = await context.newPage();
    await page.goto(url);
    await page.locator('body[data-phase="idle"]').waitFor();
    const session = await context.newCDPSession(page);
    const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
    const { data, errors } = await session.send("Page.getAppManifest");
    await page.close();
    return { faults: [...installabilityErrors.map(({ errorId }) => errorId), ...errors], manifest: JSON.parse(data) };
  } finally {
    await connected.close();
  }
}

for (const [name, fragment] of [["the start screen", ""], ["an invitation", INVITATION]]) {
  test(`${name} is for everybody, and well made`, async (t) => {
    const { accessibility, practices, faults } = await judge(stack.url + fragment);
    t.diagnostic(`accessibility ${accessibility}, best practices ${practices}`);
    assert.equal(accessibility, 100, faults.join("\n"));
    assert.ok(practices >= 95, `${practices}: ${faults.join("\n")}`);
  });
}

test("a button that says nothing is a fault, and so is a page that is made badly", async () => {
  const nameless = (html) => html.replace('<div id="name-field"', '<button type="button"></button>$&');
  await withFault("index.html", nameless, async (url) => {
    const { accessibility, faults } = await judge(url);
    assert.ok(accessibility < 100);
    assert.deepEqual(faults, ["button-name: Buttons do not have an accessible name"]);
  });
  const faulty = (html) => html.replace(/<!doctype html>\s*/i, "").replace("js/app.js", "js/nowhere.js");
  await withFault("index.html", faulty, async (url) => {
    const { practices, faults } = await judge(url);
    assert.ok(practices < 95, `${practices}: ${faults.join("\n")}`);
  });
});

test("Chromium would install the page", async () => {
  const { faults, manifest } = await installability(stack.url);
  assert.deepEqual(faults, []);
  assert.equal(manifest.start_url, "./");
  const purposes = manifest.icons.map(({ purpose }) => purpose);
  assert.ok(purposes.includes("any") && purposes.includes("maskable"));
});

test("without an icon it would not", async () => {
  await withFault("manifest.webmanifest", (text) => text.replace(/"icons": \[.*\]/s, '"icons": []'), async (url) => {
    assert.notDeepEqual((await installability(url)).faults, []);
  });
});
