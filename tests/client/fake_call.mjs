// A call whose connections keep the rules of JSEP and know no media, and whose clients pass signals to each other.

import assert from "node:assert/strict";

import { negotiate } from "../../deploy/client/negotiate.js";

export const settled = async () => {
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
  refusals = []; // types of descriptions of the other end that it will not take
  #version = 0;
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
    const isNewIce = this.#iceOf(this.remoteDescription) !== this.#iceOf(this.#agreed[1]);
    const isRestart = type === "offer" ? this.#isRestartWanted : isNewIce;
    this.#ice += isRestart ? 1 : 0;
    this.#isRestartWanted = this.#isRestartWanted && !(isRestart && type === "answer");
    this.#version += 1;
    const sdp = `${this.name} ${this.#ice} ${this.tracks}\r\no=${this.name} ${this.#version}\r\n`;
    this.localDescription = { type, sdp };
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
    if (this.refusals[0] === type) {
      throw new Error(`no ${this.refusals.shift()}`);
    }
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

  fail(state = "failed") {
    this.iceConnectionState = state;
    this.dispatchEvent(new Event("iceconnectionstatechange"));
  }
}

/** Both ends of a call, with clients whose signals come after a turn of the loop, as JSON. */
export class Call {
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
      check() {
        call.sent.push([me, "check"]);
      },
      send(signal, to) {
        call.sent.push([me, signal.type]);
        const text = JSON.stringify(signal);
        const from = call.peers[me];
        if (!call.lines[me] || to !== call.peers[other].id) {
          return; // refused or lost: to be told so is not asked for
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
