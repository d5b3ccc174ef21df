// Two clients and the real server, over lines that are cut, that swallow, and that end with the server.

import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";

import { Store } from "./fakes.mjs";
import { Stack } from "./stack.mjs";

/** For what takes some seconds, so that a signal that never comes is a failure. */
const LONGEST_MS = 120000;
const test = (name, run) => nodeTest(name, { timeout: LONGEST_MS }, run);
const signal = (data) => ({ type: "signal", data });

/** Two who are in the room, and know of each other. */
async function meet(t, settings, options) {
  const stack = await Stack.start(t, settings);
  const anna = stack.create({ user: "Anna", ...options });
  const boris = stack.create({ user: "Boris" });
  await anna.client.join("room");
  await boris.client.join("room");
  await anna.next("peer-joined");
  return { stack, anna, boris };
}

async function expectSignals(notes, values) {
  for (const value of values) {
    assert.deepEqual((await notes.next("signal")).signal, signal(value));
  }
}

test("two clients see each other, signal and leave", async (t) => {
  const { anna, boris } = await meet(t);
  const [seen] = boris.client.peers.values();
  assert.deepEqual([seen.user, seen.id, seen.version], ["Anna", anna.client.self.id, 2]);
  assert.ok(anna.client.self.order < boris.client.self.order);

  const offer = { type: "offer", sdp: { type: "offer", sdp: "v=0\r\n" } };
  await anna.client.send(offer, boris.client.self.id);
  const got = await boris.next("signal");
  assert.deepEqual([got.signal, got.from.user], [offer, "Anna"]);
  await boris.client.send({ type: "candidate", candidate: null });
  assert.deepEqual((await anna.next("signal")).signal, { type: "candidate", candidate: null });

  await anna.client.update({ muted: true });
  assert.deepEqual((await boris.next("peer-changed")).data, { muted: true });
  await assert.rejects(anna.client.send(offer, "nobody"), { code: "no-such-peer" });

  await anna.client.leave("bye");
  const left = await boris.next("peer-left");
  assert.deepEqual([left.user, left.reason, left.text, boris.client.peers.size], ["Anna", "left", "bye", 0]);
});

test("what is sent while lines are cut arrives once and in order", async (t) => {
  const { stack, anna, boris } = await meet(t);
  const sends = [];
  for (let i = 0; i < 60; i++) {
    sends.push(anna.client.send(signal(i)));
    if (i % 10 === 9) {
      stack.cut();
      await anna.next("resumed");
    }
  }
  await expectSignals(boris, Array.from({ length: 60 }, (_, i) => i));
  await Promise.all(sends);
  assert.deepEqual(boris.rest().filter(([type]) => type === "signal" || type === "joined"), []);
});

test("lines that end after any byte lose nothing, double nothing and change no order", async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  t.diagnostic(`SEED=${seed}`);
  let random = seed; // a linear congruential generator, as in Numerical Recipes
  const draw = (bound) => ((random = (random * 1664525 + 1013904223) % 2 ** 32) >>> 4) % bound;
  // No outbox overflows, which would be told as a session that is lost.
  const { stack, anna, boris } = await meet(t, { OUTBOX_MAX_MESSAGES: "1000" }, { backoff: () => 1 });
  // A join and its answer take some 700 bytes.
  stack.endLines(() => 400 + draw(3000));
  stack.cut();
  const count = 300;
  let returns = 0;
  [anna, boris].forEach(({ client }) => client.on("resumed", () => (returns += 1)));
  const ends = [];
  for (let i = 0; i < count; i++) {
    ends.push(anna.client.send(signal(["anna", i])), boris.client.send(signal(["boris", i]), anna.client.self.id));
    if (draw(10) === 0) {
      await new Promise((resolve) => setTimeout(resolve, draw(20)));
    }
  }
  await Promise.all(ends);
  stack.endLines();
  t.diagnostic(`${returns} returns`);
  assert.ok(returns > 10);
  for (const [notes, from] of [[anna, "boris"], [boris, "anna"]]) {
    await expectSignals(notes, Array.from({ length: count }, (_, i) => [from, i]));
    await notes.client.update("done");
    assert.deepEqual(notes.rest().filter(([type]) => ["signal", "joined", "error"].includes(type)), []);
  }
});

test("the others are told of who is away, and back; what they send meanwhile arrives", async (t) => {
  const { stack, anna, boris } = await meet(t, {}, { backoff: () => 300 });
  stack.cut({ onlyOldest: true });
  assert.equal((await boris.next("peer-away")).user, "Anna");
  assert.equal(boris.client.peers.get(anna.client.self.id).isAway, true);
  await boris.client.send(signal("meanwhile"));
  await expectSignals(anna, ["meanwhile"]);
  await boris.next("peer-back");
  assert.equal(boris.client.peers.get(anna.client.self.id).isAway, false);
});

test("a line that swallows is noticed by a signal, and the session goes on", async (t) => {
  const { stack, anna, boris } = await meet(t);
  stack.swallow();
  const start = performance.now();
  const sent = anna.client.send(signal("now"));
  await anna.next("resumed");
  assert.ok(performance.now() - start >= 2900);
  await sent;
  boris.client.send(signal("also")).catch(() => {});
  await expectSignals(boris, ["now"]);
  await expectSignals(anna, ["also"]);
});

test("a line that swallows is noticed by its silence", async (t) => {
  const { stack, anna } = await meet(t, { PING_INTERVAL: "1", PONG_TIMEOUT: "30" });
  stack.swallow();
  const start = performance.now();
  await anna.next("resumed");
  const seconds = (performance.now() - start) / 1000;
  assert.ok(seconds > 10 && seconds < 18, `after ${seconds} s`);
});

test("ticks keep a quiet line, also beyond that time", async (t) => {
  const { anna } = await meet(t, { PING_INTERVAL: "1", PONG_TIMEOUT: "30" });
  await new Promise((resolve) => setTimeout(resolve, 14000));
  assert.equal(anna.client.state, "joined");
  assert.deepEqual(anna.rest().filter(([type]) => type === "resumed"), []);
});

test("a session that has ended meanwhile: sends are lost, and the fresh join tells formerly", async (t) => {
  const { stack, anna, boris } = await meet(t, { RESUME_FOR: "1" }, { backoff: () => 2500 });
  const { id } = anna.client.self;
  stack.cut({ onlyOldest: true });
  await anna.next("state");
  const sent = anna.client.send(signal("lost"));
  assert.equal((await boris.next("peer-left")).reason, "lost");
  await assert.rejects(sent, { code: "lost" });
  await anna.next("joined");
  assert.equal((await boris.next("peer-joined")).formerly, id);
  assert.deepEqual([...anna.client.peers.keys()], [boris.client.self.id]);
  await anna.client.send(signal("found"));
  await expectSignals(boris, ["found"]);
});

test("who leaves without a connection has left as soon as there is one", async (t) => {
  const { stack, anna, boris } = await meet(t, {}, { backoff: () => 300 });
  stack.cut({ onlyOldest: true });
  while ((await anna.next("state")).state !== "resuming") {}
  await anna.client.leave("€".repeat(100));
  const { reason, text } = await boris.next("peer-left");
  assert.deepEqual([reason, text], ["left", "€".repeat(85)]);
});

test("a refusal is told to its send, wherever the lines end", async (t) => {
  const { stack, anna } = await meet(t, {}, { backoff: () => 1 });
  // A join and its answer take some 700 bytes.
  for (const bytes of [1200, 900, 1000, 1100]) {
    stack.endLines(() => bytes);
    stack.cut();
    for (let i = 0; i < 8; i++) {
      await assert.rejects(anna.client.send(signal(i), "nobody"), { code: "no-such-peer" });
    }
  }
  stack.endLines();
});

test("the server is started again: both come back, and know each other by formerly", async (t) => {
  const { stack, anna, boris } = await meet(t);
  const ids = [anna.client.self.id, boris.client.self.id];
  await stack.stopServer();
  await stack.startServer();
  await Promise.all([anna.next("joined"), boris.next("joined")]);
  for (const [notes, other] of [[anna, ids[1]], [boris, ids[0]]]) {
    if (notes.client.peers.size === 0) {
      await notes.next("peer-joined");
    }
    assert.equal([...notes.client.peers.values()][0].formerly, other);
  }
  await anna.client.send(signal("again"));
  await expectSignals(boris, ["again"]);
});

test("goaway tells when to come back, and is obeyed", async (t) => {
  const { stack, anna } = await meet(t);
  anna.rest();
  const stopped = stack.stopServer();
  const { state, retryInMs } = await anna.next("state");
  assert.equal(state, "resuming");
  assert.ok(retryInMs > 50 && retryInMs <= 3100, `${retryInMs} ms`); // 50 is the back-off of these tests
  const start = performance.now();
  await stopped;
  await stack.startServer();
  await anna.next("joined");
  assert.ok(performance.now() - start > retryInMs - 200);
});

test("a reload passes the seat on, in a full room and at once", async (t) => {
  const store = new Store();
  const { stack, anna, boris } = await meet(t, {}, { store });
  anna.client.close(); // as the page goes
  const reloaded = stack.create({ user: "Anna", store });
  const { isResumed, peers } = await reloaded.client.join("room");
  assert.deepEqual([isResumed, [...peers.values()][0].user], [false, "Boris"]);
  assert.equal((await boris.next("peer-left")).reason, "replaced");
  assert.equal((await boris.next("peer-joined")).formerly, undefined);
  assert.equal(boris.client.peers.size, 1);
});

test("who takes a session over ends the one that had it", async (t) => {
  const store = new Store();
  const { stack, anna } = await meet(t, {}, { store });
  globalThis.document = Object.assign(new EventTarget(), { hidden: true }); // so the token is written
  t.after(() => delete globalThis.document);
  stack.cut();
  await anna.next("resumed");
  delete globalThis.document;
  const other = stack.create({ store });
  await other.client.join("room");
  const { code, error } = await anna.next("closed");
  assert.deepEqual([code, error.code], [4501, "replaced"]);
});

test("a client of version 1 in the same room is heard and reached", async (t) => {
  const stack = await Stack.start(t);
  const anna = stack.create({ user: "Anna" });
  await anna.client.join("room");
  const old = await stack.openVersion1();
  old.send(JSON.stringify({ type: "join", room: "room", user: "Olga" }));
  const { id, version, user } = await anna.next("peer-joined");
  assert.deepEqual([version, user], [1, "Olga"]);
  const offer = { type: "offer", sdp: "v=0" };
  const heard = new Promise((resolve) => old.once("message", (data) => resolve(JSON.parse(data))));
  await anna.client.send(offer, id);
  assert.deepEqual(await heard, { ...offer, room: "room", from: "Anna" });
  old.send(JSON.stringify({ type: "answer", room: "room", from: "Olga", sdp: "v=1" }));
  const { from, signal: answer } = await anna.next("signal");
  assert.deepEqual([from.id, answer], [id, { type: "answer", sdp: "v=1" }]);
  old.close();
  assert.equal((await anna.next("peer-left")).id, id);
});

test("a third one is told that the room is full", async (t) => {
  const { stack } = await meet(t, { PROBE_TIMEOUT: "1" });
  const third = stack.create();
  await assert.rejects(third.client.join("room"), { code: "room-full" });
  assert.equal(third.client.state, "closed");
});

test("what is too large is refused, each as it is", async (t) => {
  const { anna } = await meet(t);
  await assert.rejects(anna.client.update("x".repeat(1025)), { code: "too-large" });
  await anna.client.send(signal("x".repeat(1025)));
  assert.equal(anna.client.state, "joined");
});
