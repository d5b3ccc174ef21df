// A clock that stands until it is told, sockets whose other end is the test, and a page that hides when it is told.

import { SignalClient } from "../../deploy/client/signal.js";

const flushed = () => new Promise((resolve) => setImmediate(resolve));

/** Takes the place of the clock and the timers of this process until restore(). */
export class Clock {
  #now = 0;
  #timers = new Map();
  #last = 0;
  #real = ["setTimeout", "clearTimeout", "performance"].map((name) => [
    name,
    Object.getOwnPropertyDescriptor(globalThis, name),
  ]);

  constructor() {
    this.#put("setTimeout", (act, ms = 0) => {
      this.#last += 1;
      this.#timers.set(this.#last, { due: this.#now + Math.max(0, ms), act });
      return this.#last;
    });
    this.#put("clearTimeout", (id) => this.#timers.delete(id));
    this.#put("performance", { now: () => this.#now });
  }

  #put(name, value) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }

  get timers() {
    return this.#timers.size;
  }

  async advance(ms) {
    const end = this.#now + ms;
    await flushed();
    for (;;) {
      const [id, next] = [...this.#timers].sort((a, b) => a[1].due - b[1].due)[0] ?? [];
      if (next === undefined || next.due > end) {
        break;
      }
      this.#timers.delete(id);
      this.#now = Math.max(this.#now, next.due);
      next.act();
      await flushed();
    }
    this.#now = end;
  }

  /** The machine sleeps: time goes on, and no timer is heard until it wakes. */
  async sleep(ms) {
    this.#now += ms;
    await this.advance(0);
  }

  restore() {
    this.#real.forEach(([name, descriptor]) => Object.defineProperty(globalThis, name, descriptor));
  }
}

/** A window and its document. */
export class Page {
  #window = new EventTarget();
  #names = ["addEventListener", "removeEventListener", "document"];

  constructor() {
    globalThis.document = new EventTarget();
    document.hidden = false;
    globalThis.addEventListener = this.#window.addEventListener.bind(this.#window);
    globalThis.removeEventListener = this.#window.removeEventListener.bind(this.#window);
  }

  tell(type) {
    (type === "visibilitychange" || type === "resume" ? document : this.#window).dispatchEvent(new Event(type));
  }

  hide(isHidden = true) {
    document.hidden = isHidden;
    this.tell("visibilitychange");
  }

  restore() {
    this.#names.forEach((name) => delete globalThis[name]);
  }
}

export class Store {
  items = new Map();
  getItem(key) {
    return this.items.get(key) ?? null;
  }
  setItem(key, value) {
    this.items.set(key, value);
  }
  removeItem(key) {
    this.items.delete(key);
  }
  get text() {
    return [...this.items.values()].join();
  }
}

export const TOKEN = "token-token-token-token";
export const ANNA = { peer: "a", user: "Anna", data: null, order: 3, v: 2, away: false };
export const ANNA_AS_PEER = { id: "a", user: "Anna", data: null, order: 3, isAway: false, version: 2 };

/** One client, what it has said and what it was told, on a page if there is one. */
export class Fixture {
  sockets = [];
  events = [];
  store = new Store();
  clock = new Clock();

  constructor(t, { hasPage = true } = {}) {
    this.page = hasPage ? new Page() : null;
    const random = Math.random;
    Math.random = () => 0.5;
    t.after(() => {
      Math.random = random;
      this.client?.close();
      this.page?.restore();
      this.clock.restore();
    });
  }

  /** A class of sockets that the test holds the other end of. */
  get WebSocket() {
    const { sockets } = this;
    return class extends EventTarget {
      readyState = 0;
      sent = [];
      constructor(url, protocols) {
        super();
        if (url.startsWith("bad")) {
          throw new SyntaxError("no address");
        }
        Object.assign(this, { url, protocols });
        sockets.push(this);
      }
      send(text) {
        this.sent.push(JSON.parse(text));
      }
      close() {
        this.readyState = 2;
      }
      open() {
        this.readyState = 1;
        this.dispatchEvent(new Event("open"));
      }
      hear(message) {
        this.dispatchEvent(Object.assign(new Event("message"), { data: JSON.stringify(message) }));
      }
      die(code = 1006) {
        this.readyState = 3;
        this.dispatchEvent(Object.assign(new Event("close"), { code }));
      }
    };
  }

  get socket() {
    return this.sockets.at(-1);
  }

  /** What was said on the last socket since the last look. */
  said() {
    return this.socket.sent.splice(0);
  }

  create(options, url = "wss://call.example/signal") {
    this.client = new SignalClient(url, { WebSocket: this.WebSocket, store: this.store, ...options });
    const types = ["state", "joined", "resumed", "peer-joined", "peer-changed", "peer-away", "peer-back", "peer-left"];
    for (const type of [...types, "signal", "error", "closed"]) {
      this.client.on(type, (event) => this.events.push([type, event]));
    }
    return this.client;
  }

  /** The events since the last look, without those of other types. */
  told(...types) {
    return this.events.splice(0).filter(([type]) => types.length === 0 || types.includes(type));
  }

  async dial(options, url) {
    this.create(options, url);
    this.joined = this.client.join("room");
    this.joined.catch(() => {});
    await this.clock.advance(0);
  }

  async open() {
    this.socket.open();
    await this.clock.advance(0);
  }

  async hear(...messages) {
    messages.forEach((message) => this.socket.hear(message));
    await this.clock.advance(0);
  }

  /** As the server answers a join. */
  async welcome(more) {
    const fresh = { peer: "me", order: 5, token: TOKEN, resumed: false, received: 0, peers: [] };
    await this.hear({ type: "joined", room: "room", tick: 25, resumeFor: 30, ...fresh, ...more });
  }

  /** Joined, and nothing left to look at. */
  async join(options, more) {
    await this.dial(options);
    await this.open();
    await this.welcome(more);
    this.said();
    this.told();
  }

  /** The connection is lost, and there is the next, on which the join was said. */
  async comeBack(code) {
    const count = this.sockets.length;
    this.socket.die(code);
    for (let waited = 0; this.sockets.length === count; waited += 100) {
      if (waited > 15000) {
        throw new Error("it has not come back");
      }
      await this.clock.advance(100);
    }
    await this.open();
  }
}

/** A promise's end, if it has come: "resolved" or the code it was rejected with. */
export async function endOf(promise) {
  let end = "pending";
  promise.then(
    () => (end = "resolved"),
    (error) => (end = error.code ?? error),
  );
  await flushed();
  return end;
}
