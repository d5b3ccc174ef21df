// What the client does with sessions: numbers, acknowledgements, presence. Sockets and clock are fakes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ANNA, ANNA_AS_PEER, Fixture, TOKEN, endOf } from "./fakes.mjs";

const OFFER = { type: "offer", sdp: "v=0" };
const signalOf = (seq, more) => ({ type: "signal", seq, from: "a", data: seq, ...more });

describe("joining", () => {
  test("nothing is done before join() is called", async (t) => {
    const f = new Fixture(t);
    f.create();
    await f.clock.advance(60000);
    assert.equal(f.sockets.length, 0);
    assert.equal(f.clock.timers, 0);
    assert.equal(f.client.state, "idle");
  });

  test("a join asks for homecall.2, and tells room, user and data", async (t) => {
    const f = new Fixture(t);
    await f.dial({ user: "Me", data: { muted: true } });
    assert.deepEqual([f.socket.url, f.socket.protocols], ["wss://call.example/signal", ["homecall.2"]]);
    await f.open();
    assert.deepEqual(f.said(), [{ type: "join", room: "room", user: "Me", data: { muted: true } }]);
  });

  test("joined is told with who is there, and with ICE servers", async (t) => {
    const f = new Fixture(t);
    await f.dial({ user: "Me", data: 1 });
    await f.open();
    await f.welcome({ peers: [ANNA, { ...ANNA, peer: "b", away: true, formerly: "z" }], iceServers: [{ urls: "stun:x" }] });
    const { self, peers, isResumed, iceServers } = await f.joined;
    assert.deepEqual(self, { id: "me", user: "Me", data: 1, order: 5, isAway: false, version: 2 });
    assert.deepEqual([...peers.values()], [ANNA_AS_PEER, { ...ANNA_AS_PEER, id: "b", isAway: true, formerly: "z" }]);
    assert.deepEqual([isResumed, iceServers], [false, [{ urls: "stun:x" }]]);
    assert.deepEqual(f.told("joined", "resumed").map(([type]) => type), ["joined"]);
    assert.equal(f.client.self, self);
  });

  test("a second join is refused until leave or close", async (t) => {
    const f = new Fixture(t);
    await f.join();
    assert.equal(await endOf(f.client.join("other")), "invalid");
    f.client.close();
    f.client.join("other").catch(() => {});
    await f.clock.advance(0);
    assert.equal(f.sockets.length, 2);
  });

  test("a full room rejects the join and ends", async (t) => {
    const f = new Fixture(t);
    await f.dial();
    await f.open();
    await f.hear({ type: "error", code: "room-full", message: "full", fatal: false });
    assert.equal(await endOf(f.joined), "room-full");
    assert.equal(f.client.state, "closed");
    assert.deepEqual(f.told("error", "closed").map(([type, e]) => [type, (e.error ?? e).code]), [
      ["error", "room-full"],
      ["closed", "room-full"],
    ]);
    await f.clock.advance(60000);
    assert.equal(f.sockets.length, 1);
  });

  test("a join that is not allowed is rejected with the words of the server", async (t) => {
    const f = new Fixture(t);
    await f.dial();
    await f.open();
    await f.hear({ type: "error", code: "not-allowed", message: "Ask first", fatal: false });
    assert.equal(await endOf(f.joined), "not-allowed");
    assert.equal(f.client.state, "closed");
    assert.deepEqual(f.told("error").map(([, e]) => [e.code, e.message]), [["not-allowed", "Ask first"]]);
  });

  test("a busy server is asked again, not before the time that it tells", async (t) => {
    const f = new Fixture(t);
    await f.dial();
    await f.open();
    await f.hear({ type: "error", code: "busy", message: "busy", fatal: false, retryAfterMs: 2000 });
    assert.equal(await endOf(f.joined), "pending");
    await f.clock.advance(1999);
    assert.equal(f.sockets.length, 1);
    await f.clock.advance(1);
    assert.equal(f.sockets.length, 2);
  });

  test("a join that is over the limit of a frame ends, as another would fare the same", async (t) => {
    const f = new Fixture(t);
    await f.dial();
    await f.open();
    f.socket.die(1009);
    assert.equal(await endOf(f.joined), "too-large");
    await f.clock.advance(60000);
    assert.equal(f.sockets.length, 1);
    // In a session it is a signal that was too large, and only that is lost.
    await f.join();
    const end = f.client.send(OFFER);
    await f.comeBack(1009);
    await f.welcome();
    assert.equal(await endOf(end), "lost");
  });

  test("a handler may leave while it connects", async (t) => {
    for (const end of ["close", "leave"]) {
      const f = new Fixture(t);
      f.create();
      f.client.on("state", ({ state }) => state === "connecting" && f.client[end]());
      assert.equal(await endOf(f.client.join("room")), "lost");
      await f.clock.advance(60000);
      assert.equal(f.sockets.length, 0);
      assert.equal(f.clock.timers, 0);
      f.page.restore();
      f.clock.restore();
    }
  });

  test("an AbortSignal ends a join that goes on, not one that is done", async (t) => {
    const f = new Fixture(t);
    const early = new AbortController();
    const late = new AbortController();
    f.create();
    const first = f.client.join("room", { signal: early.signal });
    early.abort(new Error("enough"));
    await assert.rejects(first, /enough/);
    assert.equal(f.client.state, "closed");
    assert.deepEqual(f.told("closed"), [["closed", { code: 1000, error: null }]]);
    await assert.rejects(f.client.join("room", { signal: early.signal }), /enough/);
    const second = f.client.join("room", { signal: late.signal });
    await f.clock.advance(0);
    await f.open();
    await f.welcome();
    await second;
    late.abort();
    assert.equal(f.client.state, "joined");
    const former = new AbortController();
    f.client.close();
    f.client.join("room", { signal: former.signal }).catch(() => {});
    f.client.close();
    f.client.join("room").catch(() => {});
    former.abort();
    assert.equal(f.client.state, "connecting");
  });
});

describe("sending", () => {
  test("nothing but the join is said before joined; what was sent waits, in order", async (t) => {
    const f = new Fixture(t);
    await f.dial();
    f.client.send(OFFER);
    await f.open();
    f.client.send({ type: "candidate", candidate: null }, "a");
    assert.deepEqual(f.said().map(({ type }) => type), ["join"]);
    await f.welcome();
    assert.deepEqual(f.said(), [
      { n: 1, type: "offer", sdp: "v=0" },
      { n: 2, type: "candidate", to: "a", candidate: null },
    ]);
  });

  test("a send resolves when it is acknowledged, with all before it", async (t) => {
    const f = new Fixture(t);
    await f.join();
    const ends = [1, 2, 3].map((data) => f.client.send({ type: "signal", data }));
    assert.equal(await endOf(ends[0]), "pending");
    await f.hear({ type: "ack", ack: 2 });
    assert.deepEqual(await Promise.all(ends.map(endOf)), ["resolved", "resolved", "pending"]);
    await f.hear(signalOf(1, { ack: 3 }));
    assert.equal(await endOf(ends[2]), "resolved");
  });

  test("a refused send rejects with the code, and only that one", async (t) => {
    const f = new Fixture(t);
    await f.join();
    const ends = [1, 2].map((data) => f.client.send({ type: "signal", data }, "gone"));
    await f.hear({ type: "error", seq: 1, code: "no-such-peer", message: "no", fatal: false, n: 1, ack: 2 });
    assert.deepEqual(await Promise.all(ends.map(endOf)), ["no-such-peer", "resolved"]);
    assert.equal(f.told("error")[0][1].code, "no-such-peer");
    assert.equal(f.client.state, "joined");
  });

  test("without a room, or of an unknown type, it is refused here", async (t) => {
    const f = new Fixture(t);
    f.create();
    assert.equal(await endOf(f.client.send(OFFER)), "not-joined");
    await f.join();
    assert.equal(await endOf(f.client.send({ type: "update", data: 1 })), "unsupported");
    assert.deepEqual(f.said(), []);
  });

  test("what is sent is as it was when it was sent", async (t) => {
    const f = new Fixture(t);
    await f.dial();
    const data = { x: 1 };
    f.client.send({ type: "signal", data });
    data.x = 2;
    await f.open();
    await f.welcome();
    assert.deepEqual(f.said().at(-1).data, { x: 1 });
  });

  test("a rejection that nobody waits for is no fault of the program", async (t) => {
    const f = new Fixture(t);
    const faults = [];
    const note = (error) => faults.push(error);
    process.on("unhandledRejection", note);
    t.after(() => process.off("unhandledRejection", note));
    await f.join();
    f.client.send(OFFER);
    f.client.close();
    await f.clock.advance(0);
    assert.deepEqual(faults, []);
  });

  test("an update is numbered, told in self when taken, and in the next fresh join", async (t) => {
    const f = new Fixture(t);
    await f.join({ data: 1 });
    const end = f.client.update(2);
    assert.deepEqual(f.said(), [{ n: 1, type: "update", data: 2 }]);
    assert.equal(f.client.self.data, 1);
    await f.hear({ type: "ack", ack: 1 });
    assert.equal(await endOf(end), "resolved");
    assert.equal(f.client.self.data, 2);
    await f.comeBack();
    assert.equal(f.said()[0].data, 2);
  });

  test("an update that is refused is not told in the next fresh join", async (t) => {
    const f = new Fixture(t);
    await f.join({ data: 1 });
    const refused = (seq, n) => ({ type: "error", seq, code: "too-large", message: "no", fatal: false, n });
    const first = f.client.update("x".repeat(2000));
    await f.hear(refused(1, 1));
    assert.equal(await endOf(first), "too-large");
    await f.comeBack();
    assert.equal(f.said()[0].data, 1);
    await f.welcome({ resumed: true, received: 1 });
    const ends = [f.client.update("x".repeat(2000)), f.client.update(3)];
    await f.hear(refused(2, 2), { type: "ack", ack: 3 });
    assert.deepEqual(await Promise.all(ends.map(endOf)), ["too-large", "resolved"]);
    await f.comeBack();
    assert.equal(f.said()[0].data, 3);
  });
});

describe("acknowledging", () => {
  test("alone after 1 s", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear(signalOf(1), signalOf(2));
    await f.clock.advance(999);
    assert.deepEqual(f.said(), []);
    await f.clock.advance(1);
    assert.deepEqual(f.said(), [{ type: "ack", ack: 2 }]);
    await f.clock.advance(5000);
    assert.deepEqual(f.said(), []);
  });

  test("alone with each eighth message", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear(...[1, 2, 3, 4, 5, 6, 7].map((seq) => signalOf(seq)));
    assert.deepEqual(f.said(), []);
    await f.hear(signalOf(8));
    assert.deepEqual(f.said(), [{ type: "ack", ack: 8 }]);
    await f.clock.advance(5000);
    assert.deepEqual(f.said(), []);
  });

  test("on what is sent anyway", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear(signalOf(1));
    f.client.send(OFFER);
    assert.deepEqual(f.said(), [{ n: 1, ack: 1, type: "offer", sdp: "v=0" }]);
    f.client.send(OFFER);
    assert.equal("ack" in f.said()[0], false);
    await f.hear({ type: "ack", ack: 2 });
    await f.clock.advance(2000);
    assert.deepEqual(f.said(), []);
  });

  test("what comes twice is handed on once, and acknowledged again", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear(signalOf(1), signalOf(2), signalOf(1), signalOf(2), signalOf(3));
    assert.deepEqual(f.told("signal").map(([, { signal }]) => signal.data), [1, 2, 3]);
  });

  test("a number that is missing is a loss, and nothing is handed on", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear(signalOf(1), signalOf(3), signalOf(4));
    assert.deepEqual(f.told("signal").length, 1);
    assert.equal(f.client.state, "resuming");
  });
});

describe("coming back", () => {
  test("token, seen and formerly are told; what was not taken is said again", async (t) => {
    const f = new Fixture(t);
    await f.join({ user: "Me" }, { peers: [ANNA] });
    await f.hear(signalOf(1), signalOf(2));
    const ends = [1, 2, 3].map((data) => f.client.send({ type: "signal", data }));
    await f.comeBack();
    const late = f.client.send({ type: "signal", data: 4 });
    const join = { type: "join", room: "room", user: "Me", data: null, token: TOKEN, seen: 2, formerly: "me" };
    assert.deepEqual(f.said(), [join]);
    f.told();
    const iceServers = [{ urls: "stun:x" }];
    await f.welcome({ resumed: true, received: 2, token: "another", peers: undefined, iceServers });
    assert.deepEqual(f.said().map(({ n, data }) => [n, data]), [[2, 2], [3, 3], [4, 4]]);
    await f.hear({ type: "ack", ack: 2 });
    assert.deepEqual(await Promise.all([...ends, late].map(endOf)), ["resolved", "resolved", "pending", "pending"]);
    const told = f.told("joined", "resumed", "signal").map(([type, e]) => [type, e.isResumed, e.iceServers]);
    assert.deepEqual(told, [["resumed", true, iceServers]]);
    await f.comeBack();
    assert.equal(f.said()[0].token, "another");
  });

  test("a refusal that was lost with its connection comes again, and rejects that send alone", async (t) => {
    const f = new Fixture(t);
    await f.join();
    const ends = [1, 2, 3].map((data) => f.client.send({ type: "signal", data }, "gone"));
    await f.comeBack();
    await f.welcome({ resumed: true, received: 3 });
    assert.deepEqual(await Promise.all(ends.map(endOf)), ["pending", "pending", "pending"]);
    await f.hear({ type: "error", seq: 1, code: "no-such-peer", message: "no", fatal: false, n: 2 }, { type: "ack", ack: 3 });
    assert.deepEqual(await Promise.all(ends.map(endOf)), ["resolved", "no-such-peer", "resolved"]);
    assert.deepEqual(f.said().slice(1).map(({ n }) => n), [3]);
  });

  test("formerly is the last id that anybody knew us by", async (t) => {
    const f = new Fixture(t);
    await f.join({}, { peer: "me1" });
    const formerly = async (more) => {
      await f.comeBack();
      const [join] = f.said();
      await f.welcome(more);
      return join.formerly;
    };
    assert.equal(await formerly({ peer: "me2", peers: [ANNA] }), undefined);
    assert.equal(await formerly({ peer: "me3" }), "me2");
    assert.equal(await formerly({ peer: "me4" }), "me2");
    await f.hear({ type: "peer-joined", seq: 1, ...ANNA });
    assert.equal(await formerly({ peer: "me5" }), "me4");
  });

  test("a session that is gone rejects what was under way, and begins at 1", async (t) => {
    const f = new Fixture(t);
    await f.join({}, { peers: [ANNA] });
    await f.hear(signalOf(1));
    const signal = f.client.send(OFFER);
    const update = f.client.update({ muted: true });
    await f.comeBack();
    await f.welcome({ peer: "me2", order: 9 });
    assert.equal(await endOf(signal), "lost");
    assert.equal(await endOf(update), "pending");
    assert.deepEqual(f.said().slice(1), [{ n: 1, type: "update", data: { muted: true } }]);
    assert.equal(f.client.peers.size, 0);
    assert.deepEqual([f.client.self.id, f.client.self.order], ["me2", 9]);
    f.told();
    await f.hear(signalOf(1));
    assert.equal(f.told("signal").length, 1);
    await f.comeBack();
    assert.equal(f.said()[0].seen, 1);
  });

  test("closes the session with 4501: replaced, the token is gone, no attempt", async (t) => {
    const f = new Fixture(t);
    await f.join();
    const end = f.client.send(OFFER);
    f.page.hide();
    f.socket.die(4501);
    await f.clock.advance(60000);
    assert.equal(f.sockets.length, 1);
    assert.equal(await endOf(end), "lost");
    const [[, { code, error }]] = f.told("closed");
    assert.deepEqual([code, error.code], [4501, "replaced"]);
    assert.equal(f.store.text, "");
  });

  test("after giving up the next join shows the token of before", async (t) => {
    const f = new Fixture(t);
    await f.join({ store: null, giveUpAfterMs: 100 });
    await f.clock.advance(6000);
    f.socket.die();
    assert.equal(f.client.state, "closed");
    f.client.join("room").catch(() => {});
    await f.clock.advance(0);
    await f.open();
    const [{ token, seen }] = f.said();
    assert.deepEqual([token, seen], [TOKEN, undefined]);
  });

  test("the states are told, with the time of the next attempt", async (t) => {
    const f = new Fixture(t);
    await f.dial();
    await f.open();
    await f.welcome();
    await f.clock.advance(5000);
    await f.comeBack();
    await f.welcome({ resumed: true });
    f.client.close();
    assert.deepEqual(f.told("state").map(([, { state, previous, retryInMs }]) => [previous, state, retryInMs]), [
      ["idle", "connecting", null],
      ["connecting", "joined", null],
      ["joined", "resuming", 250],
      ["resuming", "joined", null],
      ["joined", "closed", null],
    ]);
  });
});

describe("who is there", () => {
  test("each change is told and kept", async (t) => {
    const f = new Fixture(t);
    await f.join();
    const { away, ...anna } = ANNA;
    await f.hear({ type: "peer-joined", seq: 1, ...anna, formerly: "z" });
    await f.hear({ type: "peer-away", seq: 2, ...anna });
    await f.hear({ type: "peer-changed", seq: 3, ...anna, data: 7 });
    assert.deepEqual(f.client.peers.get("a"), { ...ANNA_AS_PEER, isAway: true, data: 7 });
    await f.hear({ type: "peer-back", seq: 4, ...anna, data: 7 });
    assert.equal(f.client.peers.get("a").isAway, false);
    await f.hear({ type: "peer-left", seq: 5, ...anna, data: 7, reason: "left", text: "bye" });
    assert.equal(f.client.peers.size, 0);
    assert.deepEqual(f.told(), [
      ["peer-joined", { ...ANNA_AS_PEER, formerly: "z" }],
      ["peer-away", { ...ANNA_AS_PEER, isAway: true }],
      ["peer-changed", { ...ANNA_AS_PEER, isAway: true, data: 7 }],
      ["peer-back", { ...ANNA_AS_PEER, data: 7 }],
      ["peer-left", { ...ANNA_AS_PEER, data: 7, reason: "left", text: "bye" }],
    ]);
  });

  test("a signal tells who sent it, also one who has left since", async (t) => {
    const f = new Fixture(t);
    await f.join({}, { peers: [ANNA] });
    await f.hear({ type: "offer", seq: 1, from: "a", sdp: "v=0" }, signalOf(2, { from: "ghost" }));
    const [[, first], [, second]] = f.told("signal");
    assert.deepEqual(first, { from: ANNA_AS_PEER, signal: OFFER });
    assert.deepEqual([second.from.id, second.from.order], ["ghost", 0]);
  });

  test("an error without a number is told, and the session goes on", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear({ type: "error", code: "unsupported", message: "what?", fatal: false });
    const [[, error]] = f.told("error");
    assert.deepEqual([error.code, error.message, error.isFatal, error.retryAfterMs], ["unsupported", "what?", false, null]);
    assert.equal(f.client.state, "joined");
  });

  test("types that are not known are ignored", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear({ type: "tick" }, { type: "news" }, { type: "peer-dances", seq: 1 }, signalOf(2));
    assert.deepEqual(f.told().map(([type]) => type), ["signal"]);
  });

  test("a handler that throws does not stop the others, nor the session", async (t) => {
    const f = new Fixture(t);
    const faults = [];
    const real = globalThis.queueMicrotask;
    t.after(() => (globalThis.queueMicrotask = real));
    globalThis.queueMicrotask = (act) => {
      assert.throws(act, (error) => faults.push(error.message) > 0); // where nobody catches it, as a page's own
    };
    await f.join();
    f.client.on("signal", () => {
      throw new Error("the application's");
    });
    const seen = [];
    const off = f.client.on("signal", ({ signal }) => seen.push(signal.data));
    await f.hear(signalOf(1));
    assert.deepEqual([seen, faults], [[1], ["the application's"]]);
    off();
    await f.hear(signalOf(2));
    assert.deepEqual(seen, [1]);
  });

  test("a handler may close or leave", async (t) => {
    for (const end of ["close", "leave"]) {
      for (const type of ["state", "joined", "signal", "error"]) {
        const f = new Fixture(t);
        await f.dial();
        f.client.on(type, () => (type !== "state" || f.client.state === "joined") && f.client[end]());
        await f.open();
        await f.welcome();
        await f.hear(signalOf(1), { type: "error", code: "invalid", message: "", fatal: false });
        assert.equal(f.client.state, end === "close" ? "closed" : "idle", `${end} in ${type}`);
        assert.equal(f.told("joined").length, type === "state" ? 0 : 1);
        f.page.restore();
        f.clock.restore();
      }
    }
  });
});
