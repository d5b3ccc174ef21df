// The client of homecall.2: rooms, signals that arrive once and in order, sessions that outlive a connection.
//
// This file has the session: numbers, acknowledgements, who is there, the token. line.js has the connection,
// negotiate.js an RTCPeerConnection. README.md tells how to use it, signal.d.ts what each call does.
// "Rule" means one of the protocol's.

import { Line, Timers } from "./line.js";

export { negotiate } from "./negotiate.js";

const STORE_KEY = "homecall.2";
const REPLACED = 4501;
const CLOSES = { [REPLACED]: "replaced", 1009: "too-large" };
const ACK_AFTER_MS = 1000;
const ACK_AFTER_MESSAGES = 8;
const PAYLOADS = { offer: "sdp", answer: "sdp", candidate: "candidate", signal: "data" };

export class SignalError extends Error {
  constructor(code, message = code, isFatal = false, retryAfterMs = null) {
    super(message);
    this.name = "SignalError";
    this.code = code;
    this.isFatal = isFatal;
    this.retryAfterMs = retryAfterMs;
  }
}

const lost = () => new SignalError("lost");

/** As much of it as a leave may say, without half a character. */
const fit = (text) => text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(256)).read);

const isHidden = () => globalThis.document?.hidden;

/** Have `handle` called for what happens to the page and its network, where there is one. Returns how to end it. */
function watchPage(handle) {
  const all = (verb) => {
    ["online", "pageshow", "pagehide"].forEach((type) => globalThis[verb]?.(type, handle));
    ["visibilitychange", "resume"].forEach((type) => globalThis.document?.[verb](type, handle));
  };
  all("addEventListener");
  return () => all("removeEventListener");
}

function peerOf(message, isAway) {
  const { peer: id, user, data, order, v: version, formerly } = message;
  return { id, user, data, order, isAway, version, ...(formerly && { formerly }) };
}

export class SignalClient {
  constructor(url, options = {}) {
    this._url = url;
    this._options = options;
    this._data = options.data ?? null;
    this._handlers = {};
    this._timers = new Timers();
    this.state = "idle";
    this.peers = new Map();
    this.self = null; // of the session, as long as there is one
    this._sends = []; // in order; those with a number have been told to this session, the others wait for one
    this._room = null;
    this._line = null;
    this._joining = null; // the promise of join(), as { resolve, reject }
    this._token = undefined;
    this._kept = this._takeKept(); // { room, token } of a session that is not ours yet, or not any more
    this._restartNumbers();
  }

  on(type, handler) {
    const handlers = (this._handlers[type] = this._handlers[type] ?? new Set());
    handlers.add(handler);
    return () => handlers.delete(handler);
  }

  join(room, { signal } = {}) {
    if (this._room !== null) {
      return Promise.reject(new SignalError("invalid", "One join until leave() or close()"));
    }
    if (signal?.aborted) {
      return Promise.reject(signal.reason ?? lost());
    }
    this._room = room;
    const kept = this._takeKept() ?? this._kept;
    this._token = kept?.room === room ? kept.token : undefined;
    this._kept = null;
    const joined = new Promise((resolve, reject) => (this._joining = { resolve, reject }));
    if (signal) {
      const mine = this._joining;
      const abort = () => this._joining === mine && this._end(1000, null, signal.reason);
      const forget = () => signal.removeEventListener("abort", abort);
      signal.addEventListener("abort", abort);
      joined.then(forget, forget);
    }
    this._line = new Line(this._url, this._options, {
      onOpen: () => {
        this._joinedData = this._data;
        this._line.write(this._joinText());
      },
      onMessage: (message) => this._hear(message),
      onLost: (retryInMs) => {
        this._timers.clear();
        this._setState(this.self === null ? "connecting" : "resuming", retryInMs);
      },
      onEnd: (code, fault) =>
        this._end(code, new SignalError(fault ? "invalid" : CLOSES[code] ?? "lost", fault ?? `Closed with ${code}`)),
    });
    this._unwatch = watchPage(({ type }) => {
      const isLeaving = type === "pagehide";
      this._hide(isLeaving || isHidden());
      if (!isLeaving && (type !== "visibilitychange" || !isHidden())) {
        this._line.wake(type === "online");
      }
    });
    this._line.dial();
    this._setState("connecting"); // the last, for its handlers may leave
    return joined;
  }

  send(signal, to) {
    const { type } = signal;
    const field = PAYLOADS[type];
    return field
      ? this._queue(type, field, signal[field], to)
      : Promise.reject(new SignalError("unsupported", `No signal: ${type}`));
  }

  update(data = null) {
    this._data = data;
    return this._room === null ? Promise.resolve() : this._queue("update", "data", data);
  }

  check() {
    this._line?.wake();
  }

  leave(text) {
    const { _line: line, _sends: sends, self, _resumeForMs: patienceMs } = this;
    const leave = JSON.stringify({ type: "leave", text: text && fit(text), ack: this._rideAck() });
    const join = this._joinText();
    if (self !== null) {
      this._line = null; // it goes on until we have left
      this._sends = [];
    }
    this._kept = null;
    this._stop("idle");
    this._hide();
    const onError = (message) => this._refuse(message, sends);
    const end = (isLeft) => sends.forEach(({ resolve, reject }) => (isLeft ? resolve() : reject(lost())));
    return self === null ? Promise.resolve() : line.finish({ join, leave, patienceMs, onError }).then(end);
  }

  close() {
    if (this.state !== "closed") {
      this._end(1000, null);
    }
  }

  // Events.

  _emit(type, event) {
    for (const handler of [...(this._handlers[type] ?? [])]) {
      try {
        handler(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error; // as that of any event handler; the session goes on
        });
      }
    }
  }

  _setState(state, retryInMs = null) {
    const previous = this.state;
    this.state = state;
    if (state !== previous || retryInMs !== null) {
      this._emit("state", { state, previous, retryInMs });
    }
  }

  // The token. It is in the store only while nobody looks at the page, so a duplicated tab has none (rule 4).

  _withStore(act) {
    try {
      const { store = globalThis.document && sessionStorage } = this._options;
      return store ? act(store) : null;
    } catch (_) {
      return null; // it is forbidden, full, or what it has is not ours
    }
  }

  _takeKept() {
    return this._withStore((store) => {
      const text = store.getItem(STORE_KEY);
      store.removeItem(STORE_KEY);
      return JSON.parse(text);
    });
  }

  _hide(isHiding = isHidden()) {
    this._withStore((store) => {
      const kept = this._token ? { room: this._room, token: this._token } : this._kept;
      if (isHiding && kept) {
        store.setItem(STORE_KEY, JSON.stringify(kept));
      } else {
        store.removeItem(STORE_KEY);
      }
    });
  }

  // The session begins, goes on and ends.

  _joinText() {
    const { _room: room, _data: data, _token: token, _formerly: formerly } = this;
    const seen = this.self === null ? undefined : this._seen;
    return JSON.stringify({ type: "join", room, user: this._options.user, data, token, seen, formerly });
  }

  _restartNumbers() {
    this._n = 0; // the last that was given
    this._seen = 0; // the last `seq` that the application got
    this._acked = 0; // the last `seq` that the server was told of
    this._timers.clear();
  }

  _onJoined(message) {
    const { resumed: isResumed, iceServers } = message;
    this._token = message.token;
    this._resumeForMs = message.resumeFor * 1000;
    this._hide();
    if (!isResumed) {
      this._begin(message);
    }
    const line = this._line;
    line.settle(message.tick * 1000);
    this._acked = this._seen; // the join told it
    // What was refused of that which was received is told behind this. So the last one of it is said once more, and
    // all of it waits until that is acknowledged.
    const received = this._sends.filter(({ n }) => n <= message.received);
    this._sends.slice(Math.max(0, received.length - 1)).forEach((send) => this._say(send));
    this._expectAck(true);
    const joined = { self: this.self, peers: this.peers, isResumed, iceServers };
    this._joining?.resolve(joined);
    this._joining = null;
    this._setState("joined");
    if (line === this._line) {
      this._emit(isResumed ? "resumed" : "joined", joined);
    }
  }

  _begin({ peer, order, peers }) {
    // An update is worth as much in the new session; of a signal only its sender knows that.
    this._sends = this._sends.filter(({ n, type, reject }) => !n || type === "update" || reject(lost()));
    this._restartNumbers();
    this._sends.forEach((send) => (send.n = this._n += 1));
    if (peers.length > 0) {
      this._formerly = peer;
    }
    const { user = "" } = this._options;
    this.self = { id: peer, user, data: this._joinedData, order, isAway: false, version: 2 };
    this.peers.clear();
    peers.forEach((one) => this.peers.set(one.peer, peerOf(one, one.away)));
  }

  /** No session and no line any more. */
  _stop(state, error) {
    this._line?.stop();
    this._unwatch?.();
    const sends = this._sends.splice(0);
    const joining = this._joining;
    this._line = this._room = this.self = this._joining = null;
    this._token = this._formerly = undefined;
    this.peers.clear();
    this._restartNumbers();
    sends.forEach((send) => send.reject(lost()));
    joining?.reject(error ?? lost());
    this._setState(state);
  }

  _end(code, error, reason = error) {
    const { _room: room, _token: token } = this;
    if (room !== null) {
      this._kept = token && code !== REPLACED ? { room, token } : null;
      this._token = undefined;
    }
    this._hide(error === null || isHidden());
    this._stop("closed", reason);
    this._emit("closed", { code, error });
  }

  // What we tell.

  _queue(type, field, payload, to) {
    if (this._room === null) {
      return Promise.reject(new SignalError("not-joined"));
    }
    const promise = new Promise((resolve, reject) => {
      const body = JSON.stringify({ type, to, [field]: payload });
      const n = this.self === null ? NaN : (this._n += 1);
      const send = { type, payload, body, n, resolve, reject };
      this._sends.push(send);
      if (this.state === "joined") {
        this._say(send);
        this._expectAck(false);
      }
    });
    promise.catch(() => {}); // who does not wait for it does not want to be told
    return promise;
  }

  _say(send) {
    const numbers = JSON.stringify({ n: send.n, ack: this._rideAck() });
    this._line.write(`${numbers.slice(0, -1)},${send.body.slice(1)}`);
  }

  _expectAck(isProgress) {
    this._line.expect(this._sends.length > 0, isProgress);
  }

  /** The server has taken everything up to `n`. */
  _takeAck(n, isProgress) {
    while (this._sends[0]?.n <= n) {
      const { type, payload, resolve } = this._sends.shift();
      if (type === "update") {
        this._data = payload;
        this.self = { ...this.self, data: payload };
      }
      resolve();
      isProgress = true;
    }
    if (isProgress) {
      this._expectAck(true);
    }
  }

  /** The acknowledgement for a message to carry, if there is one. */
  _rideAck() {
    const isOwed = this._seen > this._acked;
    this._acked = this._seen;
    this._timers.clear("ack");
    return isOwed ? this._seen : undefined;
  }

  _sayAck() {
    this._line.write(`{"type":"ack","ack":${this._rideAck()}}`);
  }

  _oweAck() {
    const owed = this._seen - this._acked;
    if (owed >= ACK_AFTER_MESSAGES) {
      this._sayAck();
    } else if (owed > 0 && !this._timers.has("ack")) {
      this._timers.set("ack", ACK_AFTER_MS, () => this._sayAck());
    }
  }

  // What we are told.

  _hear(message) {
    const { type, seq = 0, ack = 0, n } = message;
    if (seq > this._seen + 1) {
      return this._line.lose(); // never by a server that keeps rule 5
    }
    if (type === "joined") {
      return this._onJoined(message);
    }
    const isNew = seq === 0 || seq > this._seen;
    this._seen = Math.max(this._seen, seq);
    // A refusal comes with an acknowledgement of the same number.
    const error = isNew && type === "error" ? this._refuse(message, this._sends) : null;
    this._takeAck(ack, n !== undefined);
    if (error !== null) {
      this._onError(error);
    } else if (isNew) {
      this._pass(type, message);
    }
    if (this.state === "joined") {
      this._oweAck();
    }
  }

  /** What an error tells, also the one of the `sends` that it refuses. */
  _refuse({ code, message, fatal, retryAfterMs = null, n }, sends) {
    const error = new SignalError(code, message, fatal, retryAfterMs);
    const at = sends.findIndex((send) => send.n === n);
    if (at >= 0) {
      const [{ type, reject }] = sends.splice(at, 1);
      reject(error);
      if (type === "update" && this.self !== null) {
        this._data = this.self.data; // what the others know is what a fresh join tells
      }
    }
    return error;
  }

  _onError(error) {
    const line = this._line;
    this._emit("error", error);
    if (this.state === "joined" || line !== this._line) {
      return;
    }
    // The join was refused.
    if (error.retryAfterMs !== null || error.code === "busy") {
      line.lose(1013, error.retryAfterMs ?? 0);
    } else {
      this._end(1000, error);
    }
  }

  _pass(type, message) {
    const field = PAYLOADS[type];
    if (field) {
      // Who sent something to an empty room may be gone from it.
      const { from: peer } = message;
      const from = this.peers.get(peer) ?? peerOf({ peer, user: "", data: null, order: 0, v: 1 }, true);
      this._emit("signal", { from, signal: { type, [field]: message[field] } });
    } else if (/^peer-(joined|changed|away|back|left)$/.test(type)) {
      this._onPeer(type, message);
    }
  }

  _onPeer(type, message) {
    const { isAway = false } = this.peers.get(message.peer) ?? {};
    const peer = peerOf(message, type === "peer-changed" ? isAway : type === "peer-away");
    if (type === "peer-left") {
      const { reason, text = null } = message;
      this.peers.delete(peer.id);
      this._emit(type, { ...peer, reason, text });
    } else {
      this.peers.set(peer.id, peer);
      this._formerly = this.self.id;
      this._emit(type, peer);
    }
  }
}
