// Calls by version 2 between real pages of a headless Chromium: the page is the example of deploy/client/README.md.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, test } from "node:test";

import { expectEvent, readExample } from "./client_pages.mjs";
import { Browser, decodesFrames } from "./pages.mjs";
import { SessionStack } from "./session_stack.mjs";

let stack;
let browser;

before(async () => {
  stack = await SessionStack.start(readExample(() => stack.url));
  browser = await Browser.start(stack.url);
});

afterEach(() => browser.closePages());

after(async () => {
  await browser?.stop();
  await stack?.stop();
});

const bothDecode = (pages) => Promise.all(pages.map(decodesFrames));
const connections = (pages) => Promise.all(pages.map((page) => page.evaluate(() => window.connections.length)));
/** The ICE session that the page has, by its name. */
const iceName = (page) =>
  page.evaluate(() => window.connections.at(-1).currentLocalDescription?.sdp.match(/a=ice-ufrag:(\S+)/)[1]);
const iceChanges = (page, before) =>
  page.waitForFunction(
    (name) => !window.connections.at(-1).currentLocalDescription.sdp.includes(`a=ice-ufrag:${name}\r`),
    before,
  );
async function call() {
  const url = `${stack.url}#${randomUUID()}`;
  const pages = [await browser.open(url, { isOurs: false }), await browser.open(url, { isOurs: false })];
  await bothDecode(pages);
  return pages;
}

test("the example of the README is a call", async () => {
  const pages = await call();
  assert.deepEqual(await connections(pages), [1, 1]);
});

test("a cut of the network is nothing to a call: the session goes on", async () => {
  const pages = await call();
  const resumed = await Promise.all(pages.map((page) => expectEvent(page, "resumed")));
  const names = await Promise.all(pages.map(iceName));
  stack.cut({ areGhosts: true });
  await Promise.all(resumed.map((wait) => wait()));
  await bothDecode(pages);
  assert.deepEqual(await connections(pages), [1, 1]);
  assert.deepEqual(await Promise.all(pages.map(iceName)), names);
});

test("a server that starts again leaves the connection, and ICE restarts", async () => {
  const pages = await call();
  const joined = await Promise.all(pages.map((page) => expectEvent(page, "joined")));
  const names = await Promise.all(pages.map(iceName));
  await stack.restartServer();
  await Promise.all(joined.map((wait) => wait()));
  await Promise.all(pages.map((page, i) => iceChanges(page, names[i])));
  await bothDecode(pages);
  assert.deepEqual(await connections(pages), [1, 1]);
});

for (const [i, who] of ["the one with the lower order", "the one with the higher order"].entries()) {
  test(`after a reload of ${who} the call is there again`, async () => {
    const pages = await call();
    const replaced = await expectEvent(pages[1 - i], "peer-left");
    await pages[i].reload();
    await replaced();
    await bothDecode(pages);
    assert.deepEqual((await connections(pages))[1 - i], 2);
    assert.equal(await pages[i].evaluate(() => sessionStorage.length), 0);
  });

  test(`another network of ${who} restarts ICE`, async () => {
    const pages = await call();
    const names = await Promise.all(pages.map(iceName));
    await pages[i].evaluate(() => window.dispatchEvent(new Event("online")));
    await Promise.all(pages.map((page, at) => iceChanges(page, names[at])));
    await bothDecode(pages);
  });
}

test("both may add tracks, at once", async () => {
  const pages = await call();
  for (let round = 1; round <= 3; round++) {
    await Promise.all(
      pages.map((page) =>
        page.evaluate(() => {
          const [track] = document.createElement("canvas").captureStream().getTracks();
          window.connections.at(-1).addTrack(track, window.media);
        }),
      ),
    );
    await Promise.all(
      pages.map((page) =>
        page.waitForFunction((count) => {
          const [connection] = window.connections;
          const agreed = connection.getTransceivers().filter(({ currentDirection }) => currentDirection === "sendrecv");
          return connection.signalingState === "stable" && agreed.length === count;
        }, 2 + round),
      ),
    );
  }
  await bothDecode(pages);
});
