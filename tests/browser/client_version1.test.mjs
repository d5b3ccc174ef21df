// Calls between the example of deploy/client/README.md and a page of version 1 in the same room.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, test as nodeTest } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { expectEvent, readExample } from "./client_pages.mjs";
import { pictureAfter, watchFrames } from "./losses.mjs";
import { Browser, decodesFrames } from "./pages.mjs";
import { SessionStack } from "./session_stack.mjs";

const BAR_MS = 5000;
/** More than the moment for which a page of version 1 listens before it offers. */
const MOMENT_MS = 2000;

const test = (name, run) => nodeTest(name, { timeout: 120000 }, run);

let stack;
let browser;

before(async () => {
  const readVersion2 = readExample(() => stack.url);
  stack = await SessionStack.start((path) =>
    path.startsWith("/version1_page/")
      ? readFile(new URL(`.${path === "/version1_page/" ? `${path}index.html` : path}`, import.meta.url))
      : readVersion2(path),
  );
  browser = await Browser.start(stack.url);
});

afterEach(() => browser.closePages());

after(async () => {
  await browser?.stop();
  await stack?.stop();
});

const open = {
  1: (room, query) => browser.open(`${stack.url}version1_page/${query}#${room}`, { isOurs: false, init: watchFrames }),
  2: (room) => browser.open(`${stack.url}#${room}`, { isOurs: false, init: watchFrames }),
};

async function call(versions = [1, 2], { query = "", pauseMs = MOMENT_MS } = {}) {
  const room = randomUUID();
  const first = await open[versions[0]](room, query);
  await delay(pauseMs);
  const start = Date.now();
  const pages = [first, await open[versions[1]](room, query)];
  await Promise.all(pages.map(decodesFrames));
  const tookMs = Math.max(...(await Promise.all(pages.map((page) => pictureAfter(page, start))))) - start;
  const [one, two] = versions[0] === 1 ? pages : pages.reverse();
  return { one, two, pages, tookMs };
}

const errors = (page) => page.evaluate(() => window.heard.filter((type) => type === "error"));

for (const versions of [[1, 2], [2, 1]]) {
  for (const [query, how] of [["?yields", "yields"], ["", "does not yield"]]) {
    for (const [pauseMs, when] of [[MOMENT_MS, "later"], [0, "at once"]]) {
      const name = `version ${versions[0]} is there first, ${versions[1]} comes ${when}; version 1 ${how}`;
      test(name, async (t) => {
        const { one, tookMs } = await call(versions, { query, pauseMs });
        t.diagnostic(`${tookMs} ms`);
        assert.ok(tookMs <= BAR_MS, `${tookMs} ms`);
        assert.deepEqual(await errors(one), []);
      });
    }
  }
}

for (const version of [1, 2]) {
  test(`after a reload of the page of version ${version}`, async (t) => {
    const { one, two, pages } = await call();
    const start = Date.now();
    await { 1: one, 2: two }[version].reload();
    await Promise.all(pages.map(decodesFrames));
    const tookMs = Math.max(...(await Promise.all(pages.map((page) => pictureAfter(page, start))))) - start;
    t.diagnostic(`${tookMs} ms`);
    assert.ok(tookMs <= BAR_MS, `${tookMs} ms`);
    assert.deepEqual(await errors(one), []);
  });
}

test("a line of version 2 that is cut, and another network, leave the call as it is", async () => {
  const { one, two, pages } = await call();
  const resumed = await expectEvent(two, "resumed");
  stack.cut({ lines: [stack.newest()] });
  await resumed();
  const restarted = two.waitForFunction(
    (sdp) => window.connections[0].currentLocalDescription.sdp !== sdp,
    await two.evaluate(() => window.connections[0].currentLocalDescription.sdp),
  );
  await two.evaluate(() => window.dispatchEvent(new Event("online")));
  await restarted;
  await Promise.all(pages.map(decodesFrames));
  assert.deepEqual(await errors(one), []);
  assert.deepEqual(await Promise.all(pages.map((page) => page.evaluate(() => window.connections.length))), [1, 1]);
});

test("version 2 adds a track", async () => {
  const { one, two, pages } = await call();
  await two.evaluate(() => {
    const [track] = document.createElement("canvas").captureStream().getTracks();
    window.connections[0].addTrack(track, window.media);
  });
  await one.waitForFunction(() => window.connections.at(-1).getReceivers().length === 3);
  await Promise.all(pages.map(decodesFrames));
});
