// Calls by the session dialect between real pages of a headless Chromium: the page of session_page behaves on the wire as
// the one of today's HomeCall does (protocol/README.md, "The session dialect").

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { Browser, PATIENCE_MS, bothSeeFrames, phase } from "./pages.mjs";
import { SessionStack } from "./session_stack.mjs";

/** How long the server trusts that a member is there of which it hears nothing, in ms, and more. */
const TRUST_MS = 1100;

let stack;
let browser;

before(async () => {
  stack = await SessionStack.start();
  browser = await Browser.start(stack.url);
});

afterEach(async () => {
  await browser.closePages();
  assert.equal(stack.refused(), 0);
});

after(async () => {
  await browser?.stop();
  await stack?.stop();
});

const openPages = (count) => Promise.all(Array.from({ length: count }, () => browser.open(stack.url)));
/** Call, and say everything that can be said alone. */
async function call(page, id, options = {}) {
  await page.evaluate(([i, o]) => window.phone.call(i, o), [id, options]);
  await page.waitForFunction(() => {
    const { signalingState, iceGatheringState } = window.connections.at(-1);
    return signalingState === "closed" || iceGatheringState === "complete";
  });
}

const answer = (page, id, options = {}) => page.evaluate(([i, o]) => window.phone.answer(i, o), [id, options]);
const hangUp = (page, why) => page.evaluate((text) => window.phone.hangUp(text), why);
const why = (page) => page.evaluate(() => document.body.dataset.why);
const heard = (page) => page.evaluate(() => window.phone.heard.splice(0));
const newId = () => `the home of ${randomUUID()}?&+ü`;

/** Wait until the page has come back to its session so often. */
const hasReturned = (page, times = 1) =>
  page.waitForFunction((count) => window.phone.returns() >= count, times, { timeout: PATIENCE_MS });

async function connect(caller, callee, id = newId()) {
  await call(caller, id);
  await answer(callee, id);
  await bothSeeFrames(caller, callee);
  return id;
}

test("a callee who opens the link later gets the call", async () => {
  const [caller, callee] = await openPages(2);
  await connect(caller, callee);
  assert.deepEqual((await heard(callee))[0], "offer");
  assert.deepEqual((await heard(caller))[0], "answer");
});

test("a callee may be there first", async () => {
  const [caller, callee] = await openPages(2);
  const id = newId();
  await answer(callee, id);
  await delay(TRUST_MS); // so the caller is held until the callee has shown that it is there
  await call(caller, id);
  await bothSeeFrames(caller, callee);
});

test("a hang-up is seen by the other, and both can call again on the same pages", async () => {
  const [caller, callee] = await openPages(2);
  for (const [first, second] of [[caller, callee], [callee, caller], [caller, callee]]) {
    await connect(first, second);
    await hangUp(second, "good night");
    await Promise.all([phase(first, "ended"), phase(second, "ended")]);
    assert.equal(await why(first), "good night");
  }
});

test("a third page is told that the session is full, and its hang-up ends no call", async () => {
  const [caller, callee, third] = await openPages(3);
  const id = await connect(caller, callee);
  await Promise.all([caller, callee].map(heard));
  await call(third, id);
  await phase(third, "ended");
  assert.equal(await why(third), "error: The session is full");
  await bothSeeFrames(caller, callee);
  const late = await Promise.all([caller, callee].map(heard));
  assert.deepEqual(late.flat().filter((type) => type !== "candidate"), []);
});

test("a caller who loses its line while it waits says its offer again, and never hears it", async () => {
  const [caller, callee] = await openPages(2);
  const id = newId();
  await call(caller, id);
  stack.cut();
  await hasReturned(caller);
  await answer(callee, id);
  await bothSeeFrames(caller, callee);
  assert.ok(!(await heard(caller)).includes("offer"));
});

test("so does one whose old connection the server still takes for alive", async () => {
  const [caller, callee] = await openPages(2);
  const id = newId();
  await call(caller, id);
  await delay(TRUST_MS);
  stack.cut({ areGhosts: true });
  await hasReturned(caller);
  await answer(callee, id);
  await bothSeeFrames(caller, callee);
  assert.ok(!(await heard(caller)).includes("offer"));
});

test("a call goes on when both lose their lines in the middle of it", async () => {
  const [caller, callee] = await openPages(2);
  await connect(caller, callee);
  for (const areGhosts of [false, true]) {
    stack.cut({ areGhosts });
    await Promise.all([caller, callee].map((page) => hasReturned(page, areGhosts ? 2 : 1)));
    await bothSeeFrames(caller, callee);
  }
  await hangUp(caller, "good night"); // so they are in one session again
  await phase(callee, "ended");
  assert.equal(await why(callee), "good night");
});

test("a server that is replaced in the middle of a call refuses nobody", async () => {
  const [caller, callee, waiting, late] = await openPages(4);
  await connect(caller, callee);
  const id = newId();
  await call(waiting, id);
  for (let generation = 1; generation <= 2; generation++) {
    await stack.server.succeed();
    await Promise.all([caller, callee, waiting].map((page) => hasReturned(page, generation)));
    await bothSeeFrames(caller, callee);
  }
  await answer(late, id);
  await bothSeeFrames(waiting, late);
  await hangUp(callee, "good night");
  await phase(caller, "ended");
  assert.equal(await why(caller), "good night");
});

/** From the callee's opening of its line to the connection, in ms; the caller has been waiting for a while. */
async function setupMs(caller, callee, dialect) {
  const id = newId();
  await call(caller, id, { dialect });
  await delay(TRUST_MS);
  await answer(callee, id, { dialect });
  await Promise.all([caller, callee].map((page) => phase(page, "incall")));
  const took = await callee.evaluate(() => window.phone.setupMs);
  await Promise.all([caller, callee].map((page) => hangUp(page)));
  return took;
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

test("a call is set up as fast as by version 1", async (t) => {
  const RUNS = 9;
  const [caller, callee] = await openPages(2);
  const took = { session: [], version1: [] };
  for (let run = -1; run < RUNS; run++) {
    for (const dialect of Object.keys(took)) {
      const ms = await setupMs(caller, callee, dialect);
      if (run >= 0) { // the first ones only make the browser warm
        took[dialect].push(ms);
      }
    }
  }
  const [session, version1] = [took.session, took.version1].map(median);
  const texts = [session, version1].map((ms) => `${ms.toFixed(1)} ms`);
  t.diagnostic(`session ${texts[0]}, version 1 ${texts[1]}, ratio ${(session / version1).toFixed(2)}`);
  assert.ok(session < version1 * 1.5 + 50, texts.join(" and "));
});
