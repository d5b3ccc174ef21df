// Perfect negotiation, with a connection that keeps the rules of JSEP and knows no media. What real browsers do with it
// is for tests with browsers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { negotiate } from "../../deploy/client/negotiate.js";

const settled = async () => {
  for (let i = 0; i < 30; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** Enough of RTCPeerConnection: its signaling states, the event that asks for an offer, ICE credentials. */
class FakeConnection extends EventTarget {
  signalingState = "stable";
  iceConnectionState = "new";
  localDescription = null;
  remoteDescription = null;
  tracks = 0;
  agreedTracks = 0;
  restarts = 0;
  candidates = [];
  log = [];
  #isRestartWanted = false;
  #isAsked = false;
  #ice = 1;
  #agreed = [null, null]; // descriptions to go back to

  constructor(name) {
    super();
    this.name = name;
  }

  #ask() {
    const isNeeded = this.tracks !== this.agreedTracks || this.#isRestartWanted;
    if (isNeeded && this.signalingState === "stable" && !this.#isAsked) {
      this.#isAsked = true;
      setImmediate(() => this.signalingState === "stable" && this.dispatchEvent(new Event("negotiationneeded")));
    }
  }

  addTrack() {
    this.tracks += 1;
    this.#ask();
  }

  restartIce() {
    this.restarts += 1;
    this.#isRestartWanted = this.remoteDescription !== null;
    this.#ask();
  }

  #settle(state) {
    this.signalingState = state;
    this.log.push(state);
    if (state === "stable") {
      this.#isAsked = false;
      this.#ask();
    }
  }

  async setLocalDescription(description) {
    await null;
    if (description?.type === "rollback") {
      assert.equal(this.signalingState, "have-local-offer");
      [this.localDescription, this.remoteDescription] = this.#agreed;
      return this.#settle("stable");
    }
    const type = this.signalingState === "have-remote-offer" ? "answer" : "offer";
    assert.notEqual(this.signalingState, "have-local-offer");
    // Who answers a restart takes part in it (JSEP, 5.3.1).
    const isRestart = type === "offer" ? this.#isRestartWanted : this.#iceOf(this.remoteDescription) !== this.#iceOf(this.#agreed[1]);
    this.#ice += isRestart ? 1 : 0;
    this.#isRestartWanted = this.#isRestartWanted && !(isRestart && type === "answer");
    this.localDescription = { type, sdp: `${this.name} ${this.#ice} ${this.tracks}` };
    if (type === "answer") {
      this.#agree();
    } else {
      this.#settle("have-local-offer");
    }
    const { localDescription } = this;
    for (const candidate of [{ candidate: `of ${localDescription.sdp}` }, null]) {
      // Not for what was replaced meanwhile.
      setImmediate(
        () =>
          localDescription === this.localDescription &&
          this.dispatchEvent(Object.assign(new Event("icecandidate"), { candidate })),
      );
    }
  }

  #iceOf(description) {
    return description?.sdp.split(" ")[1];
  }

  #agree() {
    this.#agreed = [this.localDescription, this.remoteDescription];
    this.agreedTracks = this.tracks;
    if (this.localDescription.type === "offer") {
      this.#isRestartWanted = false;
    }
    this.#settle("stable");
  }

  async setRemoteDescription({ type, sdp }) {
    await null;
    assert.equal(typeof sdp, "string");
    assert.equal(this.signalingState, type === "offer" ? "stable" : "have-local-offer");
    this.remoteDescription = { type, sdp };
    if (type === "offer") {
      this.#settle("have-remote-offer");
    } else {
      this.#agree();
    }
  }

  async addIceCandidate({ candidate }) {
    await null;
    if (this.remoteDescription === null || candidate !== `of ${this.remoteDescription.sdp}`) {
      throw new Error(`a candidate of nothing: ${candidate}`);
    }
    this.candidates.push(candidate);
  }

  fail() {
    this.iceConnectionState = "failed";
    this.dispatchEvent(new Event("iceconnectionstatechange"));
  }
}

/** Both ends of a call, with clients whose signals come after a turn of the loop, as JSON. */
class Call {
  lines = { a: true, b: true };
  sent = [];
  #handlers = { a: {}, b: {} };

  constructor(t, { orders = [1, 2], versions = [2, 2], options = [{}, {}] } = {}) {
    this.warnings = [];
    const warn = console.warn;
    console.warn = (...words) => this.warnings.push(words.join(" "));
    t.after(() => (console.warn = warn));
    this.peers = {
      a: { id: "a1", order: orders[0], version: versions[0] },
      b: { id: "b1", order: orders[1], version: versions[1] },
    };
    this.clients = { a: this.#client("a", "b"), b: this.#client("b", "a") };
    this.a = new FakeConnection("a");
    this.b = new FakeConnection("b");
    this.negotiations = [
      negotiate(this.a, this.clients.a, this.peers.b, options[0]),
      negotiate(this.b, this.clients.b, this.peers.a, options[1]),
    ];
  }

  #client(me, other) {
    const call = this;
    return {
      peers: new Map(),
      get self() {
        return call.peers[me];
      },
      on(type, handler) {
        const handlers = (call.#handlers[me][type] ??= new Set());
        handlers.add(handler);
        return () => handlers.delete(handler);
      },
      async send(signal, to) {
        call.sent.push([me, signal.type]);
        const text = JSON.stringify(signal);
        const from = call.peers[me];
        if (!call.lines[me] || to !== call.peers[other].id) {
          throw new Error("lost");
        }
        setImmediate(() => call.tell(other, "signal", { from, signal: JSON.parse(text) }));
      },
    };
  }

  tell(who, type, event) {
    (this.#handlers[who][type] ?? []).forEach((handler) => handler(event));
  }

  handlers(who) {
    return Object.values(this.#handlers[who]).reduce((sum, set) => sum + set.size, 0);
  }

  /** `who` gets a fresh session, and both are told. */
  join(who, order, { id = `${who}2` } = {}) {
    const other = who === "a" ? "b" : "a";
    const formerly = this.peers[who].id;
    this.peers[who] = { id, order, version: 2, formerly };
    this.lines[who] = true;
    this.tell(other, "peer-joined", this.peers[who]);
    const { peers } = this.clients[who];
    peers.clear();
    peers.set(this.peers[other].id, this.peers[other]);
    this.tell(who, "joined", { peers, isResumed: false });
  }

  /** Both have agreed on what both have now. */
  expectAgreement() {
    const { a, b } = this;
    assert.deepEqual([a.signalingState, b.signalingState], ["stable", "stable"]);
    assert.equal(a.localDescription.sdp, b.remoteDescription.sdp);
    assert.equal(b.localDescription.sdp, a.remoteDescription.sdp);
    assert.deepEqual([a.agreedTracks, b.agreedTracks], [a.tracks, b.tracks]);
    assert.deepEqual(this.warnings, []);
    // What was gathered for these descriptions has come.
    assert.equal(a.candidates.at(-1), `of ${a.remoteDescription.sdp}`);
    assert.equal(b.candidates.at(-1), `of ${b.remoteDescription.sdp}`);
  }

  offers() {
    return this.sent.splice(0).filter(([, type]) => type === "offer").map(([who]) => who);
  }
}

test("one end offers, the other answers", async (t) => {
  const call = new Call(t);
  call.b.addTrack();
  await settled();
  call.expectAgreement();
  assert.deepEqual(call.offers(), ["b"]);
});

test("when offers cross, the higher order takes its own back", async (t) => {
  for (const [orders, polite] of [[[1, 2], "b"], [[9, 4], "a"]]) {
    const call = new Call(t, { orders });
    call.a.addTrack();
    call.b.addTrack();
    await settled();
    call.expectAgreement();
    const other = polite === "a" ? "b" : "a";
    assert.ok(call[polite].log.includes("have-remote-offer"));
    assert.deepEqual(call[other].log.slice(0, 2), ["have-local-offer", "stable"]);
  }
});

test("version 2 is polite to version 1, and options may tell", async (t) => {
  const call = new Call(t, { orders: [1, 2], versions: [2, 1], options: [{}, { polite: false }] });
  call.a.addTrack();
  call.b.addTrack();
  await settled();
  call.expectAgreement();
  assert.ok(call.a.log.includes("have-remote-offer"));
});

test("a description of version 1 may be a text", async (t) => {
  const call = new Call(t);
  const from = call.peers.b;
  call.tell("a", "signal", { from, signal: { type: "offer", sdp: "text of b" } });
  await settled();
  assert.deepEqual(call.a.remoteDescription, { type: "offer", sdp: "text of b" });
});

test("both may offer again later, also at once", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  for (let i = 0; i < 3; i++) {
    call.a.addTrack();
    call.b.addTrack();
    await settled();
    call.expectAgreement();
  }
});

test("ICE restarts when it has failed, on both ends or on one", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  const before = call.a.localDescription.sdp;
  call.a.fail();
  call.b.fail();
  await settled();
  call.expectAgreement();
  assert.notEqual(call.a.localDescription.sdp, before);
});

test("ICE restarts when the network is back, not before there is anything to restart", async (t) => {
  const page = new EventTarget();
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.removeEventListener = page.removeEventListener.bind(page);
  t.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  });
  const call = new Call(t);
  page.dispatchEvent(new Event("online"));
  assert.equal(call.a.restarts, 0);
  call.a.addTrack();
  await settled();
  const before = call.a.localDescription.sdp;
  page.dispatchEvent(new Event("online"));
  await settled();
  call.expectAgreement();
  assert.notEqual(call.a.localDescription.sdp, before);
  call.negotiations.forEach((negotiation) => negotiation.stop());
  const { restarts } = call.a;
  page.dispatchEvent(new Event("online"));
  assert.equal(call.a.restarts, restarts);
});

test("after a fresh join of one end the lower order restarts ICE, under the new id", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  call.offers();
  const before = call.b.localDescription.sdp;
  call.join("a", 3);
  await settled();
  assert.deepEqual(call.offers(), ["b"]);
  assert.notEqual(call.b.localDescription.sdp, before);
  call.expectAgreement();
});

test("after a restart of the server, where both have new ids", async (t) => {
  const call = new Call(t);
  call.b.addTrack();
  await settled();
  call.offers();
  call.peers.b = { ...call.peers.b, id: "gone" }; // b has not come back yet when a does
  call.clients.a.peers.clear();
  call.peers.a = { id: "a2", order: 1, version: 2, formerly: "a1" };
  call.tell("a", "joined", { peers: call.clients.a.peers, isResumed: false });
  await settled();
  assert.deepEqual(call.offers(), []);
  call.peers.b = { ...call.peers.b, id: "b1" };
  call.join("b", 2);
  await settled();
  assert.deepEqual(call.offers(), ["a"]);
  call.expectAgreement();
});

test("an offer that was lost with the session is taken back and made again", async (t) => {
  for (const lost of ["a", "b"]) {
    const call = new Call(t);
    call.lines[lost] = false;
    call[lost].addTrack();
    await settled();
    assert.equal(call[lost].signalingState, "have-local-offer");
    call.join(lost, 7);
    await settled();
    call.expectAgreement();
  }
});

test("an answer to an offer that was taken back does no harm", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  call.tell("a", "signal", { from: call.peers.b, signal: { type: "answer", sdp: "late" } });
  await settled();
  call.expectAgreement();
});

test("a peer that is replaced by a reload is another peer", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  call.offers();
  call.tell("a", "peer-joined", { id: "b2", order: 3, version: 2 });
  call.tell("a", "signal", { from: { id: "b2" }, signal: { type: "offer", sdp: "of another page" } });
  await settled();
  assert.deepEqual(call.offers(), []);
  call.expectAgreement();
});

test("the application's own signals are not touched", async (t) => {
  const call = new Call(t);
  call.tell("a", "signal", { from: call.peers.b, signal: { type: "signal", data: "chat" } });
  await settled();
  assert.deepEqual(call.warnings, []);
});

test("what the connection refuses is told, and the next works", async (t) => {
  const call = new Call(t);
  call.tell("a", "signal", { from: call.peers.b, signal: { type: "candidate", candidate: { candidate: "early" } } });
  await settled();
  assert.match(call.warnings.splice(0).join(), /a candidate of nothing/);
  call.a.addTrack();
  await settled();
  call.expectAgreement();
});

test("an event that comes twice is one offer", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  call.a.dispatchEvent(new Event("negotiationneeded"));
  call.a.dispatchEvent(new Event("negotiationneeded"));
  await settled();
  assert.deepEqual(call.offers(), ["a"]);
  call.expectAgreement();
});

test("stop is heard by what is under way, too", async (t) => {
  const call = new Call(t);
  call.tell("a", "signal", { from: call.peers.b, signal: { type: "offer", sdp: "b 1 1" } });
  call.negotiations[0].stop();
  await settled();
  assert.deepEqual([call.sent, call.a.remoteDescription], [[], null]);
});

test("stop lets go of everything", async (t) => {
  const call = new Call(t);
  call.negotiations.forEach((negotiation) => negotiation.stop());
  assert.deepEqual([call.handlers("a"), call.handlers("b")], [0, 0]);
  call.a.addTrack();
  call.a.fail();
  await settled();
  assert.deepEqual(call.sent, []);
});
