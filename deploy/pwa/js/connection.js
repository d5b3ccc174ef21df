// One RTCPeerConnection with one peer: what is sent, what comes, and whether it stands.
//
// Both lines, sound and picture, are there from the start and stay, with or without a device behind them: to turn the
// camera on or to take another one needs no negotiation. The side with the lower order makes the lines, the other side
// takes those that it is offered. With a peer of version 1 both do, and those of its offer are taken.

import { negotiate } from "../client/signal.js";

const KINDS = ["audio", "video"];

/** Browsers refuse servers that they can't make sense of. A call without them is better than none. */
function newConnection(iceServers) {
  try {
    return new RTCPeerConnection({ iceServers });
  } catch (error) {
    console.warn("iceServers:", error.message);
    return new RTCPeerConnection();
  }
}

export class Connection {
  #pc;
  #client;
  #media;
  #events;
  #negotiation;
  #remote = new MediaStream();
  #lines = {}; // a transceiver for each kind

  /** `callId` is the peer's. `events`: onStream(stream), onState(), which asks isConnected. */
  constructor({ client, peer, callId, iceServers, media, events }) {
    this.#client = client;
    this.#media = media;
    this.#events = events;
    this.peer = peer;
    this.callId = callId;
    this.#pc = newConnection(iceServers);
    this.#pc.onconnectionstatechange = this.#pc.oniceconnectionstatechange = () => this.#events.onState();
    this.#pc.onsignalingstatechange = () => this.#takeLines();
    this.#pc.ontrack = ({ track }) => {
      this.#remote.addTrack(track);
      this.#events.onStream(this.#remote);
    };
    this.#negotiation = negotiate(this.#pc, client, peer);
    if (peer.version === 1 || client.self.order < peer.order) {
      this.#makeLines();
    }
  }

  get isConnected() {
    return this.#state === "connected";
  }

  get isBroken() {
    return ["disconnected", "failed"].includes(this.#state);
  }

  /** Firefox has the state of the whole connection since version 113; that of ICE tells as much. */
  get #state() {
    const { iceConnectionState } = this.#pc;
    return this.#pc.connectionState ?? (iceConnectionState === "completed" ? "connected" : iceConnectionState);
  }

  get pc() {
    return this.#pc;
  }

  /** The same call of the same peer, perhaps in a new session. */
  follow(peer) {
    if (peer.version === 1 && peer.id !== this.peer.id) {
      this.#negotiation.stop();
      this.#negotiation = negotiate(this.#pc, this.#client, peer);
    }
    this.peer = peer;
  }

  /** For what comes. Firefox can do that since version 119; before, the connection keeps the servers that it had. */
  setIceServers(iceServers) {
    try {
      this.#pc.setConfiguration?.({ iceServers });
    } catch (error) {
      console.warn("iceServers:", error.message);
    }
  }

  /** Send another track of this kind from now on, or none (null). */
  replace(kind, track) {
    this.#lines[kind]?.sender.replaceTrack(track).catch((error) => console.warn("replaceTrack:", error.message));
  }

  close() {
    this.#negotiation.stop();
    this.#pc.onconnectionstatechange = this.#pc.oniceconnectionstatechange = null;
    this.#pc.onsignalingstatechange = this.#pc.ontrack = null;
    this.#pc.close();
  }

  #makeLines() {
    for (const kind of KINDS) {
      const options = { direction: "sendrecv", streams: [this.#media.stream] };
      this.#lines[kind] = this.#pc.addTransceiver(this.#media.track(kind) ?? kind, options);
    }
  }

  /** An offer has come: send on its lines what we have, before the answer is made. */
  #takeLines() {
    if (this.#pc.signalingState !== "have-remote-offer") {
      return;
    }
    for (const transceiver of this.#pc.getTransceivers()) {
      const { kind } = transceiver.receiver.track;
      const ours = this.#lines[kind];
      if (transceiver.mid === null || (ours !== undefined && ours.mid !== null)) {
        continue;
      }
      ours?.stop(); // made for an offer that was taken back
      this.#lines[kind] = transceiver;
      transceiver.direction = "sendrecv";
      transceiver.sender.setStreams?.(this.#media.stream);
      this.replace(kind, this.#media.track(kind));
    }
  }
}
