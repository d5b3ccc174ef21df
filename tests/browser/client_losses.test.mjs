// Calls by version 2 whose line, network, page or server fails, between two browsers: pages are the example of
// deploy/client/README.md. The call stands, or is back within 5 s, and nobody touches anything.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, test as nodeTest } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { bothHear, expectEvent, readExample } from "./client_pages.mjs";
import { Network, longestGapMs, pictureAfter, watchFrames } from "./losses.mjs";
import { Browser, decodesFrames } from "./pages.mjs";
import { SessionStack } from "./session_stack.mjs";

/** What people bear. */
const BAR_MS = 5000;
/** A busy machine may decode no frame for so long in a call that stands; 20 a second are sent. */
const BREAK_MS = 1500;
const OUTAGE_MS = 4000;
/** As deploy/systemd has it: RestartSec. */
const RESTART_MS = 500;
const SIDES = ["the one with the lower order", "the one with the higher order"];

const test = (name, run) => nodeTest(name, { timeout: 120000 }, run);

let stack;
let quick; // its server has a short tick
let browsers = [];

before(async () => {
  stack = await SessionStack.start(readExample(() => stack.url));
  quick = await SessionStack.start(readExample(() => quick.url), { environment: { PING_INTERVAL: "1" } });
  const hosts = [new URL(quick.url).host];
  browsers = await Promise.all([0, 1].map(() => Browser.start(stack.url, { hosts })));
});

afterEach(() => Promise.all(browsers.map((browser) => browser.closePages())));

after(async () => {
  await Promise.all(browsers.map((browser) => browser.stop()));
  await Promise.all([stack, quick].map((one) => one?.stop()));
});

/** A call between two browsers: its pages, their lines, and their networks where these are to fail. */
async function call({ at = stack, hasNetworks = false } = {}) {
  const url = `${at.url}#${randomUUID()}`;
  const pages = [];
  const lines = [];
  const networks = [];
  for (const browser of browsers) {
    const page = await browser.open("about:blank", { isOurs: false, init: watchFrames });
    if (hasNetworks) {
      networks.push(await Network.of(page));
    }
    await page.goto(url);
    await page.waitForFunction(() => window.client?.state === "joined");
    pages.push(page);
    lines.push(at.newest());
  }
  await Promise.all(pages.map(decodesFrames));
  return { pages, lines, networks };
}

const both = (pages, type) => Promise.all(pages.map((page) => expectEvent(page, type)));
const all = (waits) => Promise.all(waits.map((wait) => wait()));
const connections = (pages) => Promise.all(pages.map((page) => page.evaluate(() => window.connections.length)));

/** Since `start`, which the end of an outage is, both hear and see each other again. */
async function expectBack(t, pages, start, { longestMs = BAR_MS } = {}) {
  const heardMs = (await bothHear(pages)) - start;
  const seenMs = Math.max(...(await Promise.all(pages.map((page) => pictureAfter(page, start))))) - start;
  t.diagnostic(`signals after ${heardMs} ms, pictures after ${seenMs} ms`);
  assert.ok(heardMs <= longestMs, `signals after ${heardMs} ms`);
  assert.ok(seenMs <= BAR_MS, `pictures after ${seenMs} ms`);
  await Promise.all(pages.map(decodesFrames)); // and go on
}

/** The media of the call has not stopped since `start`. */
async function expectNoBreak(t, pages, start) {
  const gapMs = await longestGapMs(pages, start);
  t.diagnostic(`no picture for ${gapMs} ms at most`);
  assert.ok(gapMs <= BREAK_MS, `no picture for ${gapMs} ms`);
}

for (const [who, sides] of [...SIDES.map((name, i) => [name, [i]]), ["both", [0, 1]]]) {
  test(`offline for ${OUTAGE_MS / 1000} s: ${who}`, async (t) => {
    const { pages } = await call();
    const contexts = sides.map((i) => pages[i].context());
    await Promise.all(contexts.map((context) => context.setOffline(true)));
    await delay(OUTAGE_MS);
    const start = Date.now();
    await Promise.all(contexts.map((context) => context.setOffline(false)));
    await expectBack(t, pages, start);
    await expectNoBreak(t, pages, start - OUTAGE_MS); // Chromium leaves what is connected alone
    assert.deepEqual(await connections(pages), [1, 1]);
  });

  test(`without a network for ${OUTAGE_MS / 1000} s, and no packet comes: ${who}`, async (t) => {
    const { pages, lines, networks } = await call({ hasNetworks: true });
    const resumed = await both(sides.map((i) => pages[i]), "resumed");
    await Promise.all(sides.map((i) => networks[i].goOffline()));
    stack.swallow(sides.map((i) => lines[i]));
    await delay(OUTAGE_MS);
    const start = Date.now();
    await Promise.all(sides.map((i) => networks[i].comeBack()));
    await all(resumed);
    await expectBack(t, pages, start);
    assert.deepEqual(await connections(pages), [1, 1]);
  });
}

for (const [i, who] of SIDES.entries()) {
  test(`another network of ${who}: half a second without one, and all that was connected is dead`, async (t) => {
    const { pages, lines, networks } = await call({ hasNetworks: true });
    const resumed = await expectEvent(pages[i], "resumed");
    stack.swallow([lines[i]]);
    await networks[i].goOffline();
    await delay(500);
    const start = Date.now();
    await networks[i].comeBack();
    await resumed();
    await expectBack(t, pages, start);
    assert.deepEqual(await connections(pages), [1, 1]);
  });

  test(`after a reload of ${who}`, async (t) => {
    const { pages } = await call();
    const replaced = await expectEvent(pages[1 - i], "peer-left");
    const start = Date.now();
    await pages[i].reload();
    await replaced();
    await pages[i].waitForFunction(() => window.client?.state === "joined");
    await expectBack(t, pages, start);
  });
}

for (const type of ["online", "visibilitychange"]) {
  test(`a line that swallows is noticed on ${type}`, async (t) => {
    const { pages, lines } = await call();
    const resumed = await both(pages, "resumed");
    stack.swallow(lines);
    const start = Date.now();
    await Promise.all(
      pages.map((page) =>
        page.evaluate((name) => (name === "online" ? window : document).dispatchEvent(new Event(name)), type),
      ),
    );
    await all(resumed);
    await expectBack(t, pages, start);
    await expectNoBreak(t, pages, start);
    assert.deepEqual(await connections(pages), [1, 1]);
  });
}

test("a line that swallows is noticed by signals that are not taken", async (t) => {
  const { pages, lines } = await call();
  const resumed = await both(pages, "resumed");
  stack.swallow(lines);
  const start = Date.now();
  const addTrack = () => {
    const [track] = document.createElement("canvas").captureStream().getTracks();
    window.connections[0].addTrack(track, window.media);
  };
  await Promise.all(pages.map((page) => page.evaluate(addTrack)));
  await all(resumed);
  await expectBack(t, pages, start);
  await expectNoBreak(t, pages, start);
  const agreed = () =>
    window.connections[0].getTransceivers().filter((one) => one.currentDirection === "sendrecv").length === 3;
  await Promise.all(pages.map((page) => page.waitForFunction(agreed)));
});

test("a line that swallows, and media that stops, are noticed without any event of the browser", async (t) => {
  const { pages, lines, networks } = await call({ hasNetworks: true });
  const resumed = await both(pages, "resumed");
  stack.swallow(lines);
  await Promise.all(networks.map((network) => network.losePackets()));
  const isDisconnected = () => window.connections[0].iceConnectionState === "disconnected";
  await Promise.all(pages.map((page) => page.waitForFunction(isDisconnected)));
  const start = Date.now();
  await Promise.all(networks.map((network) => network.comeBack()));
  await all(resumed);
  await expectBack(t, pages, start);
  assert.deepEqual(await connections(pages), [1, 1]);
});

test("a line that swallows is noticed by its silence: 2 ticks and 10 s, and the call stands", async (t) => {
  const { pages, lines } = await call({ at: quick });
  const resumed = await both(pages, "resumed");
  const start = Date.now();
  quick.swallow(lines);
  await all(resumed);
  t.diagnostic(`noticed after ${Date.now() - start} ms`);
  await expectBack(t, pages, start, { longestMs: 12000 + BAR_MS });
  await expectNoBreak(t, pages, start);
});

for (const signal of ["SIGKILL", "SIGTERM"]) {
  test(`the server ends by ${signal}, and is started again ${RESTART_MS} ms later`, async (t) => {
    const { pages } = await call();
    const joined = await both(pages, "joined");
    const start = Date.now();
    await stack.restartServer(signal, { afterMs: RESTART_MS });
    await all(joined);
    await expectBack(t, pages, start);
    await expectNoBreak(t, pages, start);
    assert.deepEqual(await connections(pages), [1, 1]);
  });
}
