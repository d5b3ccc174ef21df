// Calls of the page whose line, network, page or server fails, between two browsers. The call stands, or is back within 5 s,
// and nobody touches anything.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test as nodeTest } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Network, longestGapMs, pictureAfter, watchFrames } from "./losses.mjs";
import { Browser, bothSeeFrames, decodesFrames, linkOf, phase, press } from "./pages.mjs";
import { SessionStack } from "./session_stack.mjs";

const PAGE = fileURLToPath(new URL("../../deploy/pwa/", import.meta.url));
const BAR_MS = 5000; // what people bear
const BREAK_MS = 1500; // frames that come more often than that are no break: a busy machine sends fewer
const OUTAGE_MS = 4000;
const RESTART_MS = 500; // RestartSec of deploy/systemd
const SIDES = ["who has called", "who was called"];

const test = (name, run) => nodeTest(name, { timeout: 120000 }, run);

let stack;
let browsers;

before(async () => {
  stack = await SessionStack.start((path) => readFile(join(PAGE, path === "/" ? "index.html" : path)));
  browsers = await Promise.all([Browser.start(stack.url), Browser.start(stack.url)]);
});

afterEach(() => Promise.all(browsers.map((browser) => browser.closePages())));

after(async () => {
  await Promise.all((browsers ?? []).map((browser) => browser.stop()));
  await stack?.stop();
});

/** A page, and its network. */
async function openPage(browser, url) {
  const page = await browser.open("about:blank", { isOurs: false, init: watchFrames });
  const network = await Network.of(page);
  await page.goto(url);
  await phase(page, "idle");
  return { page, network };
}

/** Press the button; the answer is the line to the server that the page gets. */
async function pressForLine(page, name) {
  await press(page, name);
  await page.locator('body:is([data-phase="waiting"], [data-phase="answering"], [data-phase="incall"])').waitFor();
  return stack.newest();
}

async function call() {
  const anna = await openPage(browsers[0], stack.url);
  const lines = [await pressForLine(anna.page, "Anna")];
  const boris = await openPage(browsers[1], await linkOf(anna.page));
  lines.push(await pressForLine(boris.page, "Boris"));
  const pages = [anna.page, boris.page];
  await bothSeeFrames(...pages);
  return { pages, lines, networks: [anna.network, boris.network] };
}

const connections = (pages) => Promise.all(pages.map((page) => page.evaluate(() => window.connections.length)));
const isWell = (page) => page.locator('body[data-phase="incall"]:not(.trouble)').waitFor();

/** Since `start`, which the end of an outage is, both see each other again, and are told of no trouble. */
async function expectBack(t, pages, start) {
  const seenMs = Math.max(...(await Promise.all(pages.map((page) => pictureAfter(page, start))))) - start;
  await Promise.all(pages.map(isWell));
  const wellMs = Date.now() - start;
  t.diagnostic(`pictures after ${seenMs} ms, no trouble after ${wellMs} ms`);
  assert.ok(wellMs <= BAR_MS, `back after ${wellMs} ms`);
  await Promise.all(pages.map(decodesFrames)); // and go on
}

/** The line to the server works in both directions: what one side does, the other one is told. */
async function expectHeard(t, pages, start) {
  for (const [from, to] of [pages, [...pages].reverse()]) {
    await from.locator("#microphone").click();
    await to.getByText("Microphone off").waitFor();
  }
  const ms = Date.now() - start;
  t.diagnostic(`heard of each other after ${ms} ms`);
  assert.ok(ms <= BAR_MS, `heard of each other after ${ms} ms`);
}

async function expectNoBreak(t, pages, start) {
  const gapMs = await longestGapMs(pages, start);
  t.diagnostic(`no picture for ${gapMs} ms at most`);
  assert.ok(gapMs <= BREAK_MS, `no picture for ${gapMs} ms`);
}

/** What a browser tells a page that comes to the front again. */
const wake = (page) => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));

test("a line that is cut", async (t) => {
  const { pages } = await call();
  const start = Date.now();
  stack.cut({ areGhosts: true });
  await expectHeard(t, pages, start);
  await expectNoBreak(t, pages, start);
  assert.deepEqual(await connections(pages), [1, 1]);
});

test("a line that swallows, when the page is looked at again", async (t) => {
  const { pages, lines } = await call();
  stack.swallow(lines);
  const start = Date.now();
  await Promise.all(pages.map(wake));
  await expectHeard(t, pages, start);
  await expectNoBreak(t, pages, start);
  assert.deepEqual(await connections(pages), [1, 1]);
});

test("two who wait for each other on dead lines meet when one looks at the page again", async (t) => {
  const { page: anna } = await openPage(browsers[0], stack.url);
  const line = await pressForLine(anna, "Anna");
  const link = await linkOf(anna);
  stack.swallow([line]);
  const { page: boris } = await openPage(browsers[1], link);
  await press(boris, "Boris"); // the server still takes Anna's line for alive
  await boris.locator('body:is([data-phase="waiting"], [data-phase="answering"])').waitFor();
  const start = Date.now();
  await wake(anna);
  await expectBack(t, [anna, boris], start);
});

for (const [i, who] of SIDES.entries()) {
  test(`a reload of ${who}`, async (t) => {
    const { pages } = await call();
    const start = Date.now();
    await pages[i].reload();
    await expectBack(t, pages, start);
  });

  test(`another network of ${who}: half a second without one, and all that was connected is dead`, async (t) => {
    const { pages, networks, lines } = await call();
    stack.swallow([lines[i]]);
    await networks[i].goOffline();
    await delay(500);
    const start = Date.now();
    await networks[i].comeBack();
    await expectBack(t, pages, start);
    assert.deepEqual(await connections(pages), [1, 1]);
  });

  test(`no network for ${OUTAGE_MS / 1000} s: ${who}`, async (t) => {
    const { pages, networks, lines } = await call();
    stack.swallow([lines[i]]);
    await networks[i].goOffline();
    await delay(OUTAGE_MS);
    const start = Date.now();
    await networks[i].comeBack();
    await expectBack(t, pages, start);
    assert.deepEqual(await connections(pages), [1, 1]);
  });
}

for (const signal of ["SIGKILL", "SIGTERM"]) {
  test(`the server ends by ${signal}, and is started again ${RESTART_MS} ms later`, async (t) => {
    const { pages } = await call();
    const start = Date.now();
    await stack.restartServer(signal, { afterMs: RESTART_MS });
    await expectHeard(t, pages, start);
    await expectNoBreak(t, pages, start);
    assert.deepEqual(await connections(pages), [1, 1]);
  });
}
