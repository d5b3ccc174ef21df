// The rules of one call: who offers and when, what a message does, when the call has ended.
//
// The server acknowledges nothing: not a join, not a leave, not the arrival of a signal. So each side acts on
// what it sees, and every exchange may be started over at any time:
//
// - The side that made up the codeword offers as soon as it has joined; the server keeps the offer until the
//   other side comes. Who comes by the link waits a moment for that offer, and then offers as well.
// - Offers that cross are settled as in the "perfect negotiation" pattern. The user ids decide: the lesser one
//   is polite and drops its own offer for the other's. The greater one ignores the other's and sends its own
//   again, because the first copy may have gone to a page that was reloaded since.
// - To start over is to offer from a new RTCPeerConnection. An offer from one that we are not paired with
//   means that the other side did so (a reload, say), and replaces ours.
// - Lost signaling does not touch a call that is connected. One that is not starts over when the line is back.
// - The other side's end is a "bye" on the data channel, or its absence for too long.
//
// Everything that waits for the browser runs in one chain of tasks, so no step sees another half done.

import { Peer } from "./peer.js";
import { Signaling } from "./signaling.js";

const OFFER_PATIENCE_MS = 1500; // for who came by the link; a queued offer comes in one round trip
const SETUP_PATIENCE_MS = 30000; // from the first description of the other side to a connection
const RETURN_PATIENCE_MS = 20000; // for the other side to come back: a reload, another network
const ROOM_IS_FULL = "Room is full"; // PROTOCOL.md, rule 1

export class Call {
  #user;
  #iceServers;
  #media;
  #offersAtOnce;
  #events;
  #signaling;
  #peer = null;
  #tasks = Promise.resolve();
  #offerTimer;
  #deadline = null;
  #isEnded = false;
  #isJoined = false;
  #isServerLost = false;
  #wasConnected = false;
  #isInterrupted = false;
  #peerUser = null;

  /** `events`: onChange(state), onStream(stream), onEnd({ reason, message }). State: { phase, isServerLost,
   * isInterrupted, peerUser } with a phase of "connecting", "waiting", "answering" or "incall". Reason:
   * "hangup", "bye", "gone", "unreachable", "full", "taken", "error" or "fault". */
  constructor({ signalUrl, iceServers, room, user, media, offersAtOnce, events }) {
    this.#user = user;
    this.#iceServers = iceServers;
    this.#media = media;
    this.#offersAtOnce = offersAtOnce;
    this.#events = events;
    this.#signaling = new Signaling({
      url: signalUrl,
      room,
      user,
      events: {
        onJoined: (isReturn) => this.#onJoined(isReturn),
        onLost: () => this.#onServerLost(),
        onTakenOver: () => this.#end("taken"),
        onMessage: (message) => this.#onMessage(message),
      },
    });
  }

  start() {
    this.#signaling.open();
    this.#tell();
  }

  hangUp() {
    this.#end("hangup");
  }

  /** The page goes, perhaps to be reloaded: leave the room, but say no "bye", so that the other side waits a
   * while. */
  abandon() {
    this.#stop();
    this.#peer?.close();
  }

  get #phase() {
    if (this.#wasConnected) {
      return "incall";
    }
    if (this.#peerUser !== null) {
      return "answering";
    }
    return this.#isJoined ? "waiting" : "connecting";
  }

  #tell() {
    if (!this.#isEnded) {
      this.#events.onChange({
        phase: this.#phase,
        isServerLost: this.#isServerLost,
        isInterrupted: this.#isInterrupted,
        peerUser: this.#peerUser,
      });
    }
  }

  /** Run `task` when all earlier ones are done, unless the call has ended by then. */
  #enqueue(task) {
    this.#tasks = this.#tasks
      .then(() => (this.#isEnded ? undefined : task()))
      .catch((error) => this.#end("fault", error.message));
  }

  // The line to the server.

  #onJoined(isReturn) {
    this.#isJoined = true;
    this.#isServerLost = false;
    this.#tell();
    if (isReturn) {
      this.#onReturned();
    } else if (this.#offersAtOnce) {
      this.#enqueue(() => this.#offer());
    } else {
      this.#offerTimer = setTimeout(() => this.#enqueue(() => this.#offer()), OFFER_PATIENCE_MS);
    }
  }

  #onReturned() {
    if (this.#peer?.isConnected) {
      return;
    }
    // Whatever was under way may be lost, and what the server still keeps is out of date: our addresses may
    // have changed.
    this.#signaling.dropQueued();
    this.#enqueue(() => this.#offer());
  }

  #onServerLost() {
    this.#isServerLost = true;
    this.#tell();
  }

  #onMessage(message) {
    const { type, from, sdp, candidate } = message ?? {};
    switch (type) {
      case "offer":
        this.#enqueue(() => this.#onOffer(from, asDescription(sdp)));
        break;
      case "answer":
        this.#enqueue(() => this.#onAnswer(from, asDescription(sdp)));
        break;
      case "candidate":
        this.#enqueue(() => this.#peer?.addCandidate(asCandidate(candidate)));
        break;
      case "error":
        this.#end(message.message === ROOM_IS_FULL ? "full" : "error", message.message);
        break;
    } // Other types belong to later versions of the protocol.
  }

  // The negotiation. Every function here runs as a task.

  async #offer() {
    clearTimeout(this.#offerTimer);
    this.#replacePeer();
    const { type, sdp } = await this.#peer.offer();
    this.#signaling.send({ type: "offer", sdp: { type, sdp } });
  }

  async #onOffer(from, offer) {
    clearTimeout(this.#offerTimer);
    if (this.#peer?.isOffering) {
      const isPolite = this.#user < from;
      if (!isPolite) {
        const { type, sdp } = this.#peer.description;
        this.#signaling.send({ type: "offer", sdp: { type, sdp } });
        return;
      }
    }
    if (!this.#peer?.isPairedWith(offer)) {
      this.#replacePeer();
    }
    const answer = await this.#peer.answer(offer);
    this.#signaling.send({ type: "answer", sdp: answer });
    this.#onPaired(from);
  }

  async #onAnswer(from, answer) {
    if (await this.#peer?.accept(answer)) {
      this.#onPaired(from);
    }
  }

  /** Credentials have been renewed: for what comes, and for a connection that has to find another way. */
  setIceServers(iceServers) {
    this.#iceServers = iceServers;
    this.#peer?.setIceServers(iceServers);
  }

  #onPaired(from) {
    this.#peerUser = from;
    if (!this.#peer.isConnected) {
      this.#startDeadline(SETUP_PATIENCE_MS);
    }
    this.#tell();
  }

  #replacePeer() {
    this.#peer?.close();
    this.#peer = new Peer({
      iceServers: this.#iceServers,
      media: this.#media,
      events: {
        onCandidate: (candidate) => this.#signaling.send({ type: "candidate", candidate }),
        onStream: (stream) => this.#events.onStream(stream),
        onConnected: () => this.#onConnected(),
        onInterrupted: () => this.#onInterrupted(),
        onFailed: () => this.#onFailed(),
        onBye: () => this.#end("bye"),
      },
    });
  }

  // The connection.

  #onConnected() {
    this.#clearDeadline();
    this.#wasConnected = true;
    this.#isInterrupted = false;
    this.#tell();
  }

  #onInterrupted() {
    this.#isInterrupted = this.#wasConnected;
    this.#startDeadline(RETURN_PATIENCE_MS);
    this.#tell();
  }

  #onFailed() {
    this.#onInterrupted();
    if (this.#peer.hasOffered) {
      this.#enqueue(() => this.#offer()); // one side is enough, and the other would only make glare
    }
  }

  /** Give the connection so much time. A deadline that runs already stays as it is. */
  #startDeadline(patienceMs) {
    this.#deadline ??= setTimeout(() => this.#end(this.#wasConnected ? "gone" : "unreachable"), patienceMs);
  }

  #clearDeadline() {
    clearTimeout(this.#deadline);
    this.#deadline = null;
  }

  // The end.

  #end(reason, message = "") {
    if (this.#isEnded) {
      return;
    }
    this.#stop();
    if (reason === "hangup") {
      this.#peer?.goodbye();
    } else {
      this.#peer?.close();
    }
    this.#events.onEnd({ reason, message });
  }

  #stop() {
    this.#isEnded = true;
    clearTimeout(this.#offerTimer);
    this.#clearDeadline();
    this.#signaling.leave();
  }
}

/** A client may send the text alone or a whole RTCSessionDescription (PROTOCOL.md, "Client to server"). */
function asDescription(sdp) {
  return typeof sdp === "string" ? { sdp } : sdp;
}

/** A candidate may be an RTCIceCandidate, its text alone, or null for the end of them, which needs no action
 * but which addIceCandidate understands as well. */
function asCandidate(candidate) {
  return typeof candidate === "object" ? (candidate ?? {}) : { candidate, sdpMLineIndex: 0 };
}
