// The line to the server: a WebSocket that comes back by itself, and whose death is noticed.
// It knows nothing of rooms and sessions. "Rule" means one of the protocol's.

const OPENING_MS = 10000; // name, TCP, TLS and upgrade over a slow radio; also "joined" for who comes back
const ANSWER_MS = 3000; // rule 10: the acknowledgement of a signal, and a pong
const SILENCE_MS = 10000; // rule 10: on top of two ticks
const FIRST_TICK_MS = 25000; // until "joined" tells
const STABLE_MS = 5000; // after a line that stood for so long the back-off begins anew
const TOO_LARGE = 1009;
const LATE_MS = 1000; // a timer that is so late was held up by a machine that slept, which proves nothing
const OPEN = 1;

const now = () => performance.now();

/** Full jitter: anything from nothing to a bound that doubles from 0.5 s to 15 s. */
const backOff = (attempt) => Math.random() * Math.min(15000, 500 * 2 ** attempt);

/** Timers by name. Setting one again moves it. */
export class Timers {
  constructor() {
    this._ids = {};
  }

  has(name) {
    return name in this._ids;
  }

  /** `act` is told how late it is, in ms. */
  set(name, ms, act) {
    this.clear(name);
    const due = now() + ms;
    this._ids[name] = setTimeout(() => {
      delete this._ids[name];
      act(now() - due);
    }, ms);
  }

  /** All of them, unless one is named. */
  clear(name) {
    for (const one of name ? [name] : Object.keys(this._ids)) {
      clearTimeout(this._ids[one]);
      delete this._ids[one];
    }
  }
}

export class Line {
  /** `events`: onOpen(), onMessage(message), onLost(retryInMs), onEnd(code, fault): no more attempts. */
  constructor(url, options, events) {
    this._url = url;
    this._options = options;
    this._events = events;
    this._timers = new Timers();
    this._socket = null;
    this._isWaiting = false; // for the next attempt
    this._attempts = 0;
    this._notBefore = 0; // the server asked not to come earlier
    this._brokenAt = now(); // since when there is no session on a line; null while there is
    this._settledAt = null;
    this._heardAt = 0;
    this._tickMs = null;
  }

  /** Begin an attempt, now. */
  async dial() {
    this._hangUp();
    this._isWaiting = false;
    this._timers.set("opening", OPENING_MS, () => this.lose());
    const attempt = (this._attempt = {});
    let url = null;
    try {
      url = await (typeof this._url === "function" ? this._url() : this._url);
    } catch (_) {} // nobody can tell the address now
    if (attempt !== this._attempt) {
      return;
    }
    if (url === null) {
      return this.lose();
    }
    const Socket = this._options.WebSocket ?? WebSocket;
    let socket;
    try {
      socket = new Socket(String(url).replace(/^http/, "ws"), ["homecall.2"]);
    } catch (error) {
      return this._events.onEnd(1000, error.message); // no such address: another attempt would not help
    }
    this._socket = socket;
    // One that was given up may still speak; only the current one is heard.
    const listen = (type, handle) =>
      socket.addEventListener(type, (event) => socket === this._socket && handle(event));
    listen("open", () => this._onOpen());
    listen("message", ({ data }) => this._hear(data));
    listen("close", ({ code }) => this.lose(code));
    listen("error", () => {}); // "close" follows; but "ws" throws what nobody listens to
  }

  _onOpen() {
    this._timers.clear("opening");
    this._listenOn(this._tickMs === null ? undefined : OPENING_MS);
    this._events.onOpen();
  }

  /** There is a session on this line. */
  settle(tickMs) {
    this._tickMs = tickMs;
    this._settledAt = now();
    this._brokenAt = null;
    this._listenOn();
  }

  _listenOn(ms = 2 * (this._tickMs ?? FIRST_TICK_MS) + SILENCE_MS) {
    this._heardAt = now();
    this._timers.set("silence", ms, (lateMs) => this._suspect(lateMs));
  }

  _suspect(lateMs) {
    if (lateMs > LATE_MS && this._settledAt !== null) {
      this._ping();
    } else {
      this.lose();
    }
  }

  /** Signals wait to be acknowledged, or none does any more, which is progress. With each progress the time begins
   * anew: a slow line may take longer for all that was sent at once. */
  expect(areWaiting, isProgress) {
    if (isProgress) {
      this._timers.clear("answer");
    }
    if (areWaiting && !this._timers.has("answer")) {
      this._timers.set("answer", ANSWER_MS, (lateMs) => this._suspect(lateMs));
    }
  }

  _ping() {
    if (!this._timers.has("pong")) {
      this.write('{"type":"ping"}');
      this._timers.set("pong", ANSWER_MS, () => this.lose());
    }
  }

  write(text) {
    if (this._socket?.readyState === OPEN) {
      this._socket.send(text);
    }
  }

  _hear(data) {
    let message, type;
    try {
      message = JSON.parse(data);
      ({ type } = message);
    } catch (_) {
      return this.lose(); // no server of version 2
    }
    this._listenOn();
    if (type === "pong") {
      this._timers.clear("pong");
    } else if (type === "ping") {
      this.write('{"type":"pong"}');
    } else if (type === "goaway") {
      this._notBefore = now() + (message.retryAfterMs || 0);
    } else {
      this._events.onMessage(message);
    }
  }

  /** The page woke up, or `isOnline`: has a network again. */
  wake(isOnline) {
    if (this._isWaiting) {
      if (this._notBefore <= now()) {
        this.dial();
      }
    } else if (isOnline || this._socket?.readyState > OPEN) {
      this.lose(); // it was made by a network that is gone, or the close event is still on its way
      if (this._isWaiting) {
        this.wake();
      }
    } else if (this._settledAt !== null) {
      this._ping();
    } else if (!this._timers.has("opening") && now() - this._heardAt > ANSWER_MS) {
      this.dial(); // "joined" should have come
    }
  }

  /** Take it for lost, and come back later: not before `afterMs`. */
  lose(code = 1006, afterMs = 0) {
    const isJoining = this._settledAt === null;
    if (!isJoining && now() - this._settledAt >= STABLE_MS) {
      this._attempts = 0;
    }
    this._hangUp();
    if ((code >= 4500 && code < 5000) || (code === TOO_LARGE && isJoining)) {
      return this._events.onEnd(code);
    }
    this._brokenAt = this._brokenAt ?? now();
    this._notBefore = Math.max(this._notBefore, now() + afterMs);
    const ms = Math.max((this._options.backoff ?? backOff)(this._attempts), this._notBefore - now());
    this._attempts += 1;
    const { giveUpAfterMs = Infinity } = this._options;
    if (now() + ms - this._brokenAt > giveUpAfterMs) {
      return this._events.onEnd(code);
    }
    this._isWaiting = true;
    this._timers.set("dial", ms, () => this.dial());
    this._events.onLost(ms);
  }

  /** Say `leave`, after `join` where there is no connection, and stop with "left", or when `patienceMs` are over.
   * Tells whether "left" came, not later than with the first loss. */
  finish({ join, leave, patienceMs, onError }) {
    return new Promise((done) => {
      const say = () => {
        this.write(leave);
        this.expect(true, true);
      };
      const end = (isLeft) => {
        this.stop();
        done(isLeft);
      };
      const handlers = {
        joined: ({ tick }) => {
          this.settle(tick * 1000);
          say();
        },
        left: () => end(true),
        error: (message) => (message.n ? onError(message) : end(false)),
      };
      const onLost = () => done(false);
      this._options = { ...this._options, giveUpAfterMs: patienceMs };
      this._events = {
        onOpen: () => this.write(join),
        onMessage: (message) => handlers[message.type]?.(message),
        onLost,
        onEnd: onLost,
      };
      if (this._settledAt === null) {
        onLost();
      } else {
        say();
      }
    });
  }

  stop() {
    this._hangUp();
    this._isWaiting = false;
  }

  _hangUp() {
    const socket = this._socket;
    this._socket = this._attempt = null;
    this._settledAt = null;
    this._timers.clear();
    socket?.close();
  }
}
