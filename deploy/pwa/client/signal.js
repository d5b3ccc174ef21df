// The client of homecall.2: rooms, signals that arrive once and in order, sessions that outlive a connection.
//
// This file has the session: numbers, acknowledgements, who is there, the token. line.js has the connection,
// negotiate.js an RTCPeerConnection. README.md tells how to use it, signal.d.ts what each call does.
// "Rule" means one of the protocol's.

import { Line, Timers } from "./line.js";

export { negotiate } from "./negotiate.js";

const STORE_KEY = "homecall.2";
const REPLACED = 4501;
const ACK_AFTER_MS = 1000;
const ACK_AFTER_MESSAGES = 8;
const PAYLOADS = { offer: "sdp", answer: "sdp", candidate: "candidate", signal: "data", update: "data" };

export class SignalError extends Error {
  constructor(code, message = code, isFatal = false, retryAfterMs = null) {
    super(message);
    this.name = "SignalError";
    this.code = code;
    this.isFatal = isFatal;
    this.retryAfterMs = retryAfterMs;
  }
}

const isHidden = () => typeof document !== "undefined" && document.hidden;

/** Tell of a page that comes and goes, where there is one. Returns how to end it. */
function watchPage(onWake, onHide) {
  const page = typeof document === "undefined" ? {} : document;
  const listeners = [
    [globalThis, "online", () => onWake(true)],
    [globalThis, "pageshow", () => onWake(false)],
    [page, "resume", () => onWake(false)],
    [page, "visibilitychange", () => (page.hidden ? onHide() : onWake(false))],
    [globalThis, "pagehide", onHide],
  ].filter(([target]) => target.addEventListener);
  listeners.forEach(([target, type, handler]) => target.addEventListener(type, handler));
  return () => listeners.forEach(([target, type, handler]) => target.removeEventListener(type, handler));
}

function peerOf(message, isAway) {
  const { peer: id, user, data, order, v: version, formerly } = message;
  const peer = { id, user, data, order, isAway, version };
  return formerly === undefined ? peer : { ...peer, formerly };
}

export class SignalClient {
  constructor(url, options = {}) {
    this._url = url;
    this._options = options;
    this._data = options.data === undefined ? null : options.data;
    this._handlers = {};
    this._timers = new Timers();
    this._state = "idle";
    this._peers = new Map();
    this._self = null; // of the session, as long as there is one
    this._sends = []; // in order; those with `n` have been told to this session, the others wait for one
    this._room = null;
    this._line = null;
    this._joining = null; // the promise of join(), as { resolve, reject }
    this._token = null;
    this._kept = this._takeKept();
    this._restartNumbers();
  }

  get state() {
    return this._state;
  }

  get self() {
    return this._self;
  }

  get peers() {
    return this._peers;
  }

  on(type, handler) {
    const handlers = this._handlers[type] || (this._handlers[type] = new Set());
    handlers.add(handler);
    return () => handlers.delete(handler);
  }

  join(room, { signal } = {}) {
    if (this._room !== null) {
      return Promise.reject(new SignalError("invalid", "One join until leave() or close()"));
    }
    const reason = () => signal.reason || new DOMException("Aborted", "AbortError");
    if (signal && signal.aborted) {
      return Promise.reject(reason());
    }
    this._room = room;
    const kept = this._kept || this._takeKept();
    this._token = kept !== null && kept.room === room ? kept.token : null;
    this._kept = null;
    const joined = new Promise((resolve, reject) => (this._joining = { resolve, reject }));
    if (signal) {
      const mine = this._joining;
      const abort = () => this._joining === mine && this._end(1000, reason());
      const forget = () => signal.removeEventListener("abort", abort);
      signal.addEventListener("abort", abort);
      joined.then(forget, forget);
    }
    this._line = new Line(this._url, this._options, {
      onOpen: () => this._sayJoin(),
      onMessage: (message) => this._hear(message),
      onLost: (ms) => this._onLost(ms),
      onEnd: (code, error) => {
        const name = error !== null ? "invalid" : code === REPLACED ? "replaced" : "lost";
        this._end(code, new SignalError(name, error !== null ? error.message : `Closed with ${code}`));
      },
    });
    this._unwatch = watchPage(
      (isOnline) => {
        this._hide();
        this._line.wake(isOnline);
      },
      () => this._hide(true),
    );
    this._setState("connecting");
    this._line.dial();
    return joined;
  }

  send(signal, to) {
    const payload = PAYLOADS[signal.type];
    if (payload === undefined || signal.type === "update") {
      return Promise.reject(new SignalError("unsupported", `No signal: ${signal.type}`));
    }
    return this._queue(signal.type, signal[payload], to);
  }

  update(data) {
    this._data = data;
    return this._room === null ? Promise.resolve() : this._queue("update", data);
  }

  leave(text) {
    const line = this._line;
    if (this._state !== "joined") {
      this._stop("idle");
      this._hide();
      return Promise.resolve();
    }
    const sends = this._sends.splice(0); // they are on their way, before the leave
    const leave = JSON.stringify({ type: "leave", text, ack: this._rideAck() });
    this._line = null;
    this._stop("idle");
    this._hide();
    return new Promise((resolve) =>
      line.finish(leave, (isLeft) => {
        sends.forEach((send) => (isLeft ? send.resolve() : send.reject(new SignalError("lost"))));
        resolve();
      }),
    );
  }

  close() {
    if (this._state !== "closed") {
      this._hide(true);
      this._end(1000, null);
    }
  }

  // Events.

  _emit(type, event) {
    for (const handler of [...(this._handlers[type] || [])]) {
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
    const previous = this._state;
    this._state = state;
    if (state !== previous || retryInMs !== null) {
      this._emit("state", { state, previous, retryInMs });
    }
  }

  // The token. It is in the store only while nobody looks at the page, so a duplicated tab has none (rule 4).

  _withStore(act) {
    try {
      const { store = typeof document === "undefined" ? null : sessionStorage } = this._options;
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
      const kept = this._token === null ? this._kept : { room: this._room, token: this._token };
      if (isHiding && kept !== null) {
        store.setItem(STORE_KEY, JSON.stringify(kept));
      } else {
        store.removeItem(STORE_KEY);
      }
    });
  }

  // The session begins, goes on and ends.

  _sayJoin() {
    const { _room: room, _self: self, _data: data } = this;
    const join = { type: "join", room, user: this._options.user, data, token: this._token || undefined };
    if (self !== null) {
      join.seen = this._seen;
    }
    join.formerly = this._formerly;
    this._joinedData = data;
    this._line.write(JSON.stringify(join));
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
    this._hide();
    if (!isResumed) {
      this._begin(message);
    }
    const line = this._line;
    line.settle(message.tick * 1000);
    this._acked = this._seen; // the join told it
    this._takeAck(message.received);
    this._sends.forEach((send) => this._say(send));
    this._expectAck(true);
    const joined = { self: this._self, peers: this._peers, isResumed, iceServers };
    if (this._joining !== null) {
      this._joining.resolve(joined);
      this._joining = null;
    }
    this._setState("joined");
    if (line === this._line) {
      this._emit(isResumed ? "resumed" : "joined", joined);
    }
  }

  _begin({ peer, order, peers }) {
    // An update is worth as much in the new session; of a signal only its sender knows that.
    const isKept = (send) => send.n === null || send.type === "update";
    const lost = this._sends.filter((send) => !isKept(send));
    this._sends = this._sends.filter(isKept);
    this._restartNumbers();
    this._sends.forEach((send) => (send.n = this._n += 1));
    this._formerly = peer;
    const { user = "" } = this._options;
    this._self = { id: peer, user, data: this._joinedData, order, isAway: false, version: 2 };
    this._peers.clear();
    peers.forEach((one) => this._peers.set(one.peer, peerOf(one, one.away)));
    lost.forEach((send) => send.reject(new SignalError("lost", "The session could not be resumed")));
  }

  _onLost(retryInMs) {
    this._timers.clear();
    this._setState(this._self === null ? "connecting" : "resuming", retryInMs);
  }

  /** No session and no line any more. */
  _stop(state, error) {
    if (this._line !== null) {
      this._line.stop();
    }
    if (this._room !== null) {
      this._unwatch();
    }
    const sends = this._sends.splice(0);
    const joining = this._joining;
    this._line = this._room = this._self = this._token = this._joining = null;
    this._formerly = undefined;
    this._peers.clear();
    this._restartNumbers();
    sends.forEach((send) => send.reject(new SignalError("lost", "The session has ended")));
    if (joining !== null) {
      joining.reject(error || new SignalError("lost", "The session has ended"));
    }
    this._setState(state);
  }

  _end(code, error) {
    if (error !== null) {
      this._token = null;
      this._hide();
    }
    this._stop("closed", error);
    this._emit("closed", { code, error });
  }

  // What we tell.

  _queue(type, payload, to) {
    if (this._room === null) {
      return Promise.reject(new SignalError("not-joined", "Join a room first"));
    }
    const promise = new Promise((resolve, reject) => {
      const body = JSON.stringify({ type, to, [PAYLOADS[type]]: payload });
      const n = this._self === null ? null : (this._n += 1);
      const send = { type, payload, body, n, resolve, reject };
      this._sends.push(send);
      if (this._state === "joined") {
        this._say(send);
        this._expectAck(false);
      }
    });
    promise.catch(() => {}); // who does not wait for it does not want to be told
    return promise;
  }

  _say(send) {
    const ack = this._rideAck();
    this._line.write(`{"n":${send.n},${ack === undefined ? "" : `"ack":${ack},`}${send.body.slice(1)}`);
  }

  _expectAck(isProgress) {
    this._line.expect(this._sends.length > 0, isProgress);
  }

  /** The server has taken everything up to `n`. */
  _takeAck(n) {
    let isNews = false;
    while (this._sends.length > 0 && this._sends[0].n !== null && this._sends[0].n <= n) {
      const { type, payload, resolve } = this._sends.shift();
      if (type === "update") {
        this._self = { ...this._self, data: payload };
      }
      resolve();
      isNews = true;
    }
    if (isNews) {
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
    const line = this._line;
    const { type, seq, ack = 0 } = message;
    if (seq > this._seen + 1) {
      return line.lose(); // never by a server that keeps rule 5
    }
    if (type === "joined") {
      return this._onJoined(message);
    }
    const isRepeated = seq <= this._seen;
    if (seq !== undefined && !isRepeated) {
      this._seen = seq;
    }
    // A refusal comes with an acknowledgement of the same number.
    const error = type === "error" && !isRepeated ? this._readError(message) : null;
    this._takeAck(ack);
    if (error !== null) {
      this._onError(error, message.n === undefined);
    } else if (!isRepeated) {
      this._pass(type, message);
    }
    if (this._state === "joined") {
      this._oweAck();
    }
  }

  _readError({ code, message, fatal, retryAfterMs = null, n }) {
    const error = new SignalError(code, message, fatal, retryAfterMs);
    const at = n === undefined ? -1 : this._sends.findIndex((send) => send.n === n);
    if (at >= 0) {
      this._sends.splice(at, 1)[0].reject(error);
      this._expectAck(true);
    }
    return error;
  }

  _onError(error, isOfLine) {
    const line = this._line;
    this._emit("error", error);
    if (!isOfLine || this._state === "joined" || line !== this._line) {
      return;
    }
    // The join was refused.
    if (error.retryAfterMs !== null || error.code === "busy") {
      line.lose(1013, error.retryAfterMs || 0);
    } else {
      this._end(1000, error);
    }
  }

  _pass(type, message) {
    if (PAYLOADS[type] !== undefined) {
      const payload = PAYLOADS[type];
      // Who sent something to an empty room may be gone from it.
      const nobody = { peer: message.from, user: "", data: null, order: 0, v: 1 };
      const from = this._peers.get(message.from) || peerOf(nobody, true);
      this._emit("signal", { from, signal: { type, [payload]: message[payload] } });
    } else if (/^peer-(joined|changed|away|back|left)$/.test(type)) {
      this._onPeer(type, message);
    }
  }

  _onPeer(type, message) {
    const known = this._peers.get(message.peer);
    const wasAway = known !== undefined && known.isAway;
    const peer = peerOf(message, type === "peer-changed" ? wasAway : type === "peer-away");
    if (type === "peer-left") {
      const { reason, text = null } = message;
      this._peers.delete(peer.id);
      this._emit(type, { ...peer, reason, text });
    } else {
      this._peers.set(peer.id, peer);
      this._emit(type, peer);
    }
  }
}
