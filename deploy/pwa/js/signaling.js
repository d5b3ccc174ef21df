// The line to the signaling server: protocol version 1 over a WebSocket that comes back by itself.
//
// It lives as long as one call. Each time the socket opens, it joins the room under the same user, so the
// server sees one person come back and keeps that person's queued signals; what follows from a return is the
// call's decision. The protocol has no acknowledgement, so nothing is kept here for sending again: a signal
// sent while the line is down is gone, and the call starts a fresh negotiation when the line is back.

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15000;
// A server that is started again after a second or two is found by the fourth attempt, which comes within 4.1 s.
const GROWTH = 1.5;
const CONNECT_TIMEOUT_MS = 10000;
const STABLE_MS = 5000; // after a connection that lived this long the delays begin anew
const TAKEN_OVER = 4001; // PROTOCOL.md, rule 1

/** How long to wait before attempt `n` (from 0): growing, and spread over the upper half of the interval, so
 * that the clients of a server that went away do not come back all at once. */
export function backOff(n, random = Math.random()) {
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * GROWTH ** n);
  return longest * (0.5 + random / 2);
}

export class Signaling {
  #url;
  #room;
  #user;
  #events;
  #socket = null;
  #openedAt = null;
  #attempts = 0;
  #joins = 0;
  #retryTimer;
  #connectTimer;
  #isClosed = false;
  #onOnline = () => this.#reconnectNow();
  #onOffline = () => this.#drop();

  /** `events`: onJoined(isReturn), onLost(), onTakenOver(), onMessage(message). */
  constructor({ url, room, user, events }) {
    this.#url = url;
    this.#room = room;
    this.#user = user;
    this.#events = events;
  }

  open() {
    addEventListener("online", this.#onOnline);
    addEventListener("offline", this.#onOffline);
    this.#connect();
  }

  /** Send a signal: { type, … }. It is lost while the line is down. */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ room: this.#room, from: this.#user, ...message }));
    }
  }

  /** Take back what this user has queued, and stay: `leave` drops it (PROTOCOL.md, rule 3). */
  dropQueued() {
    this.#sendMembership("leave");
    this.#sendMembership("join");
  }

  /** Leave the room and end the line for good. */
  leave() {
    this.#sendMembership("leave");
    this.#end();
  }

  #sendMembership(type) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ type, room: this.#room, user: this.#user }));
    }
  }

  #connect() {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#openedAt = null;
    // A socket that was given up may still speak; only the current one is heard.
    const current = (handle) => (event) => socket === this.#socket && handle(event);
    socket.addEventListener("open", current(() => this.#onOpen()));
    socket.addEventListener("message", current((event) => this.#onText(event.data)));
    socket.addEventListener("close", current((event) => this.#onClose(event)));
    this.#connectTimer = setTimeout(() => this.#drop(), CONNECT_TIMEOUT_MS);
  }

  #onOpen() {
    clearTimeout(this.#connectTimer);
    this.#openedAt = performance.now();
    this.#sendMembership("join");
    this.#joins += 1;
    this.#events.onJoined(this.#joins > 1);
  }

  #onText(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // nothing that a server of version 1 sends
    }
    this.#events.onMessage(message);
  }

  #onClose({ code }) {
    if (code === TAKEN_OVER) {
      // To come back would throw out the one who has taken over, who would come back in turn.
      this.#end();
      this.#events.onTakenOver();
      return;
    }
    this.#retryLater();
  }

  /** Give the socket up without waiting for its end, which may take minutes on a dead network. */
  #drop() {
    const socket = this.#socket;
    if (socket === null) {
      return;
    }
    this.#retryLater();
    socket.close();
  }

  #retryLater() {
    if (this.#openedAt !== null && performance.now() - this.#openedAt > STABLE_MS) {
      this.#attempts = 0;
    }
    this.#forgetSocket();
    this.#retryTimer = setTimeout(() => this.#connect(), backOff(this.#attempts));
    this.#attempts += 1;
    this.#events.onLost();
  }

  #reconnectNow() {
    if (this.#socket === null) {
      clearTimeout(this.#retryTimer);
      this.#connect();
    }
  }

  #forgetSocket() {
    clearTimeout(this.#connectTimer);
    clearTimeout(this.#retryTimer);
    this.#socket = null;
  }

  #end() {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    removeEventListener("online", this.#onOnline);
    removeEventListener("offline", this.#onOffline);
    const socket = this.#socket;
    this.#forgetSocket();
    socket?.close(1000);
  }
}
