// The line of a phone: its WebSocket, for one call. It comes back by itself, and then says again what it has said.

const PAUSES_MS = [1000, 2000, 4000, 5000];

/** What the two dialects say differently: where to connect, what to say first, and how a signal is written. */
export const dialects = {
  session: {
    target: (id) => `/signal?sessionId=${encodeURIComponent(id)}`,
    greeting: () => null,
    write: (id, signal) => ({ ...signal, sessionId: id }),
  },
  version1: {
    target: () => "/signal",
    greeting: (id, user) => ({ type: "join", room: id, user }),
    write: (id, signal) => signal,
  },
};

export class Line {
  #dialect;
  #id;
  #user;
  #onSignal;
  #onRefused;
  #socket;
  #unsent = []; // what was said while there was no connection
  #description = null; // the last one that was said
  #candidates = [];
  #failures = 0;
  #timer = 0;
  #isOver = false;
  returns = 0; // how often it has come back

  /** `onSignal` gets each message, `onRefused` is called when a connection is refused or breaks. */
  constructor(dialect, id, user, { onSignal, onRefused }) {
    this.#dialect = dialects[dialect];
    this.#id = id;
    this.#user = user;
    this.#onSignal = onSignal;
    this.#onRefused = onRefused;
  }

  /** Resolves when it is open. */
  open() {
    return new Promise((resolve) => this.#connect(resolve));
  }

  #connect(onOpen) {
    const socket = new WebSocket(`ws://${location.host}${this.#dialect.target(this.#id)}`);
    this.#socket = socket;
    socket.onopen = () => {
      const greeting = this.#dialect.greeting(this.#id, this.#user);
      if (greeting) {
        socket.send(JSON.stringify(greeting));
      }
      this.#failures = 0;
      this.#unsent.splice(0).forEach((text) => socket.send(text));
      [this.#description, ...this.#candidates].filter(Boolean).forEach((signal) => this.#send(signal));
      onOpen();
    };
    socket.onmessage = ({ data }) => this.#onSignal(JSON.parse(data));
    socket.onerror = () => this.#isOver || this.#onRefused();
    socket.onclose = () => this.#comeBack();
  }

  #comeBack() {
    if (this.#isOver) {
      return;
    }
    const pause = PAUSES_MS[Math.min(this.#failures++, PAUSES_MS.length - 1)];
    this.#timer = setTimeout(() => this.#connect(() => this.returns++), pause);
  }

  #send(signal) {
    const text = JSON.stringify(this.#dialect.write(this.#id, signal));
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#socket.send(text);
    } else {
      this.#unsent.push(text);
    }
  }

  say(signal) {
    if (signal.type === "candidate") {
      this.#candidates.push(signal);
    } else if (signal.sdp) {
      this.#description = signal;
    }
    this.#send(signal);
  }

  /** For good. */
  close() {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket.close();
  }
}
