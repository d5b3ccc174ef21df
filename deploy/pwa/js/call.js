// The rules of a call: who is in the room, when a connection begins, and when the call has ended.
//
// Each side tells the room what it is doing, in the data of its session: its name, whether its microphone and its camera
// are on, and the number of the call that it is in, or null when it rests. Two sides that are both in a call are
// connected. Who hangs up rests and stays in the room for a while: so the other side sees that it has ended, and that
// it is called again. A new number means that the page has begun anew, and so must the connection.

import { SignalClient } from "../client/signal.js";
import { Connection } from "./connection.js";
import { displayName } from "./identity.js";
import { randomId } from "./random.js";

const SETUP_PATIENCE_MS = 30000; // from meeting the other side to a connection
const RETURN_PATIENCE_MS = 120000; // for an interrupted connection to come back
const REST_MS = 60000; // in the room after the end of a call
const FULL_RETRY_MS = 3000;
const FLICKER_MS = 1000; // a server that is back so soon has not been missed
const REPLACED = 4501;

const isCalling = (peer) => peer.version === 1 || typeof peer.data?.call === "string";
const callOf = (peer) => (peer.version === 1 ? peer.id : (peer.data?.call ?? null));
const nameOf = (peer) => String(peer.data?.name ?? displayName(peer.user ?? ""));

/** A peer as it will be when it has noticed that the call is over. */
const atRest = (peer) => ({ ...peer, version: 2, data: { ...peer.data, name: nameOf(peer), call: null } });

export class Call {
  #client;
  #name;
  #device;
  #media;
  #iceServers;
  #events;
  #room;
  #callId = null; // null: at rest
  #endedCall = null; // the number of the other side's that has ended last
  #reason = null;
  #message = "";
  #connection = null;
  #partner = null; // who the call is with, as last seen
  #since = null;
  #isInterrupted = false;
  #isServerLost = false;
  #isFull = false;
  #deadline = null;
  #lostTimer = null;
  #restTimer = null;
  #fullTimer = null;

  /** `iceServers()` gives those of the moment. `events`: onChange(state), onStream(stream or null), onEnd(), and, of
   * the other side, onMet(partner) when the connection stands and onTold(data), what it has said with tell().
   *
   * State: { phase, reason, message, partner, since, isServerLost, isInterrupted }. Phase: "connecting", "waiting",
   * "answering", "incall", "full", "ended" or, when the other side calls again, "incoming". Reason: "hangup", "bye",
   * "gone", "unreachable", "taken" or "error". Partner: { name, device, isResting, hasAudio, hasVideo, isFirst }. */
  constructor({ signalUrl, name, device, media, iceServers, events }) {
    this.#name = name;
    this.#device = device;
    this.#media = media;
    this.#iceServers = iceServers;
    this.#events = events;
    const client = (this.#client = new SignalClient(signalUrl, { user: name }));
    client.on("state", (event) => this.#onServer(event));
    for (const type of ["joined", "resumed", "peer-joined", "peer-changed", "peer-away", "peer-back"]) {
      client.on(type, () => this.#look());
    }
    client.on("peer-left", ({ id, reason }) => this.#onLeft(id, reason));
    client.on("signal", ({ from, signal }) => this.#onSignal(from, signal));
    client.on("error", (error) => console.warn(`signal: ${error.code}: ${error.message}`));
    client.on("closed", ({ code, error }) => this.#onClosed(code, error));
  }

  get room() {
    return this.#room;
  }

  get isAtRest() {
    return this.#callId === null;
  }

  get pc() {
    return this.#connection?.pc ?? null;
  }

  /** Call, or call again, or answer. The media is open. */
  begin(room) {
    this.#room = room;
    this.#callId = randomId(8);
    this.#reason = null;
    this.#since = null;
    this.#isInterrupted = false;
    clearTimeout(this.#restTimer);
    this.#client.update(this.#presence());
    if (this.#client.state === "idle" || this.#client.state === "closed") {
      this.#join();
    }
    this.#look();
  }

  hangUp() {
    this.#end("hangup");
  }

  /** Leave the room: nobody is to call this page again. */
  leave() {
    this.#callId = null;
    this.#stop();
    clearTimeout(this.#restTimer);
    clearTimeout(this.#lostTimer);
    return this.#client.leave();
  }

  /** The microphone or the camera is another one, or on or off. */
  onMedia() {
    if (!this.isAtRest) {
      this.#client.update(this.#presence());
    }
  }

  replace(kind, track) {
    this.#connection?.replace(kind, track);
  }

  iceServersChanged() {
    this.#connection?.setIceServers(this.#iceServers());
  }

  /** Say something to the other side's page. */
  tell(data) {
    const { peer } = this.#connection ?? {};
    if (peer?.version === 2) {
      this.#client.send({ type: "signal", data }, peer.id).catch(() => {}); // it has gone
    }
  }

  #presence() {
    const isOn = (kind) => this.#media.state(kind) === "on";
    const data = { name: this.#name, device: this.#device, call: this.#callId };
    return this.isAtRest ? data : { ...data, audio: isOn("audio"), video: isOn("video") };
  }

  #tell() {
    this.#events.onChange({
      phase: this.#phase,
      reason: this.#reason,
      message: this.#message,
      partner: this.#partner && this.#describe(this.#partner),
      since: this.#since,
      isServerLost: this.#isServerLost && !this.isAtRest,
      isInterrupted: this.#isInterrupted,
    });
  }

  get #phase() {
    if (this.isAtRest) {
      const isNew = this.#partner !== null && callOf(this.#partner) !== this.#endedCall;
      return isNew && isCalling(this.#partner) ? "incoming" : "ended";
    }
    if (this.#isFull) {
      return "full";
    }
    if (this.#since !== null) {
      return "incall";
    }
    if (this.#connection !== null) {
      return "answering";
    }
    return this.#client.self !== null ? "waiting" : "connecting";
  }

  #describe(peer) {
    const { data, version } = peer;
    return {
      name: nameOf(peer),
      device: typeof data?.device === "string" ? data.device : null,
      isResting: !isCalling(peer),
      hasAudio: version === 1 || data?.audio === true,
      hasVideo: version === 1 || data?.video === true,
      isFirst: peer.order < (this.#client.self?.order ?? 0),
    };
  }

  // The line to the server.

  async #join() {
    try {
      await this.#client.join(this.#room);
    } catch (error) {
      if (error.code !== "room-full" || this.isAtRest) {
        return; // "closed" tells the rest
      }
      this.#isFull = true;
      this.#fullTimer = setTimeout(() => this.#join(), FULL_RETRY_MS);
      this.#tell();
    }
  }

  #onServer({ state, retryInMs }) {
    this.#isFull &&= state !== "joined";
    if (state === "joined" || state === "idle" || state === "closed") {
      clearTimeout(this.#lostTimer);
      this.#lostTimer = null;
      this.#isServerLost = false;
    } else if (retryInMs !== null && this.#lostTimer === null) {
      this.#lostTimer = setTimeout(() => {
        this.#isServerLost = true;
        this.#tell();
      }, FLICKER_MS);
    }
    this.#tell();
  }

  #onClosed(code, error) {
    if (error !== null && error.code !== "room-full") {
      this.#end(code === REPLACED ? "taken" : "error", error.message);
    }
  }

  // The other side.

  /** Go by who is in the room now. */
  #look() {
    const peers = [...this.#client.peers.values()];
    const current = this.#connection?.peer;
    const same = current && peers.find((peer) => this.#isSameCall(peer));
    const known = current && peers.find(({ id, formerly }) => id === current.id || formerly === current.id);
    if (same) {
      this.#connection.follow(same);
      this.#partner = same;
    } else if (known && !isCalling(known)) {
      this.#partner = known;
      this.#end("bye");
      return;
    } else {
      this.#meet(peers.find(isCalling) ?? peers[0] ?? null);
    }
    this.#tell();
  }

  #meet(peer) {
    if (peer !== null) {
      this.#partner = peer;
    } else if (this.#connection === null) {
      this.#partner = this.isAtRest && this.#partner !== null ? atRest(this.#partner) : null;
    }
    if (peer !== null && isCalling(peer) && !this.isAtRest) {
      this.#connect(peer);
    }
  }

  #isSameCall(peer) {
    const { peer: current, callId, isConnected } = this.#connection;
    if (peer.version === 1) {
      return peer.id === current.id || (current.version === 1 && peer.user === current.user && isConnected);
    }
    return (peer.id === current.id || peer.formerly === current.id) && callOf(peer) === callId;
  }

  #onLeft(id, reason) {
    if (id === this.#connection?.peer.id && reason === "left") {
      this.#end("bye");
    } else {
      this.#look(); // lost: the media may go on. replaced: a reload, and the page will be here at once.
    }
  }

  #onSignal(from, signal) {
    if (signal.type === "signal" && from.id === this.#connection?.peer.id) {
      this.#events.onTold(signal.data);
    }
  }

  // The connection.

  #connect(peer) {
    this.#connection?.close();
    this.#events.onStream(null);
    this.#isInterrupted = this.#since !== null;
    this.#restartDeadline();
    this.#connection = new Connection({
      client: this.#client,
      peer,
      callId: callOf(peer),
      iceServers: this.#iceServers(),
      media: this.#media,
      events: { onStream: (stream) => this.#events.onStream(stream), onState: () => this.#onConnectionState() },
    });
  }

  #onConnectionState() {
    if (this.#connection.isConnected) {
      this.#clearDeadline();
      this.#isInterrupted = false;
      if (this.#since === null) {
        this.#since = performance.now();
        this.#events.onMet(this.#describe(this.#connection.peer));
      }
    } else if (this.#since !== null && !this.#isInterrupted && this.#connection.isBroken) {
      this.#isInterrupted = true;
      this.#restartDeadline();
    }
    this.#tell();
  }

  #restartDeadline() {
    this.#clearDeadline();
    const [ms, reason] = this.#since === null ? [SETUP_PATIENCE_MS, "unreachable"] : [RETURN_PATIENCE_MS, "gone"];
    this.#deadline = setTimeout(() => this.#end(reason), ms);
  }

  #clearDeadline() {
    clearTimeout(this.#deadline);
  }

  // The end.

  #end(reason, message = "") {
    if (this.isAtRest) {
      return;
    }
    const partner = this.#connection?.peer ?? this.#partner;
    this.#callId = null;
    this.#reason = reason;
    this.#message = message;
    this.#stop();
    const isHeard = reason === "bye" || partner?.version === 2; // a client of version 1 can't see that we rest
    if (isHeard && reason !== "taken" && reason !== "error") {
      this.#client.update(this.#presence());
      this.#restTimer = setTimeout(() => this.leave(), REST_MS);
    } else {
      this.#client.leave();
    }
    // One who is gone may come back in the same call. Of the others, old news may still be on its way.
    this.#endedCall = partner && reason !== "gone" ? callOf(partner) : null;
    this.#partner = partner && atRest(partner);
    this.#events.onEnd();
    this.#tell();
  }

  #stop() {
    this.#clearDeadline();
    clearTimeout(this.#fullTimer);
    this.#isFull = false;
    this.#connection?.close();
    this.#connection = null;
    this.#events.onStream(null);
  }
}
