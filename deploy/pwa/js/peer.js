// One RTCPeerConnection with one peer, from its first description to its end.
//
// A Peer either offers or answers, once; what must start over starts with a new Peer. So it needs no
// rollback, and a description or a candidate that belongs to an earlier Peer is told by what it carries: the
// DTLS fingerprint names the other side's RTCPeerConnection, the origin line ("o=") names one description of
// it, and the ICE user fragment ties a candidate to a description.
//
// A data channel that both sides know beforehand (id 0) carries a single word, "bye": the server does not
// tell anybody that the peer has left.

const BYE = "bye";
const GOODBYE_PATIENCE_MS = 1000;

const line = (sdp, pattern) => sdp.match(pattern)?.[1] ?? null;
const fingerprint = (sdp) => line(sdp, /^a=fingerprint:(.*?)\r?$/m);
const origin = (sdp) => line(sdp, /^o=(.*?)\r?$/m);
const hasUserFragment = (sdp, fragment) => sdp.split(/\r?\n/).includes(`a=ice-ufrag:${fragment}`);

export class Peer {
  #connection;
  #channel;
  #media;
  #events;
  #remoteStream = new MediaStream();
  #remoteSdp = null; // as it came: what the browser gives back may be worded anew
  #heldCandidates = [];
  #hasMedia = false;
  #hasOffered = false;

  /** `media` is the stream to send. `events`: onCandidate(candidate), onStream(stream), onConnected(),
   * onInterrupted(), onFailed(), onBye(). None of them is called after close(). */
  constructor({ iceServers, media, events }) {
    this.#media = media;
    this.#events = events;
    this.#connection = new RTCPeerConnection({ iceServers });
    this.#connection.onicecandidate = ({ candidate }) => this.#onCandidate(candidate);
    this.#connection.onconnectionstatechange = () => this.#onState();
    this.#connection.ontrack = ({ track }) => this.#onTrack(track);
    this.#channel = this.#connection.createDataChannel("control", { negotiated: true, id: 0 });
    this.#channel.onmessage = ({ data }) => data === BYE && this.#events.onBye();
    this.#channel.onclose = () => this.#events.onInterrupted();
  }

  setIceServers(iceServers) {
    this.#connection.setConfiguration({ iceServers });
  }

  get hasOffered() {
    return this.#hasOffered;
  }

  /** Is an offer of ours still without its answer? */
  get isOffering() {
    return this.#connection.signalingState === "have-local-offer";
  }

  get isConnected() {
    return this.#connection.connectionState === "connected" && this.#channel.readyState !== "closed";
  }

  /** What we have described ourselves with, and every candidate found so far. */
  get description() {
    return this.#connection.localDescription;
  }

  /** Does the offer come from the RTCPeerConnection that this Peer is already paired with? */
  isPairedWith(offer) {
    return this.#remoteSdp !== null && fingerprint(this.#remoteSdp) === fingerprint(offer.sdp);
  }

  /** Make the offer. */
  async offer() {
    this.#hasOffered = true;
    for (const kind of ["audio", "video"]) {
      const track = this.#media.getTracks().find((candidate) => candidate.kind === kind);
      // Without a track of our own the line is still there, so that the other side's comes through.
      const options = track ? { streams: [this.#media] } : { direction: "recvonly" };
      this.#connection.addTransceiver(track ?? kind, options);
    }
    this.#hasMedia = true;
    await this.#connection.setLocalDescription();
    return this.description;
  }

  /** Take an offer and make the answer to it. An offer that has come before gets the answer that it had.
   * The answer names the offer in `inReplyTo`: an old answer must not be taken for one to a newer offer. */
  async answer(offer) {
    if (this.#remoteSdp === null || origin(this.#remoteSdp) !== origin(offer.sdp)) {
      await this.#setRemote("offer", offer.sdp);
      if (!this.#hasMedia) {
        this.#media.getTracks().forEach((track) => this.#connection.addTrack(track, this.#media));
        this.#hasMedia = true;
      }
      await this.#connection.setLocalDescription();
    }
    const { type, sdp } = this.description;
    return { type, sdp, inReplyTo: origin(offer.sdp) };
  }

  /** Take the answer to our offer. False, and nothing changed, when it is an answer to something else. */
  async accept(answer) {
    const isOurs = answer.inReplyTo === undefined || answer.inReplyTo === origin(this.description?.sdp ?? "");
    if (!this.isOffering || !isOurs) {
      return false;
    }
    await this.#setRemote("answer", answer.sdp);
    return true;
  }

  /** Take a candidate. One that comes before its description waits for it; one of an old description is
   * dropped. */
  async addCandidate(candidate) {
    if (this.#remoteSdp === null) {
      this.#heldCandidates.push(candidate);
      return;
    }
    const fragment = candidate.usernameFragment ?? null;
    if (fragment !== null && !hasUserFragment(this.#remoteSdp, fragment)) {
      return;
    }
    try {
      await this.#connection.addIceCandidate(candidate);
    } catch (error) {
      console.debug("A candidate was of no use:", error.message); // one path less, not the end of the call
    }
  }

  async #setRemote(type, sdp) {
    await this.#connection.setRemoteDescription({ type, sdp });
    this.#remoteSdp = sdp;
    for (const candidate of this.#heldCandidates.splice(0)) {
      await this.addCandidate(candidate);
    }
  }

  /** Tell the other side that the call is over, and close. Its answer to "bye" is to close, too. */
  goodbye() {
    this.#silence();
    const end = () => this.#connection.close();
    if (this.#channel.readyState !== "open") {
      end();
      return;
    }
    // To close at once could overtake the word that was just sent.
    this.#channel.onclose = end;
    setTimeout(end, GOODBYE_PATIENCE_MS);
    this.#channel.send(BYE);
    this.#connection.getSenders().forEach((sender) => sender.replaceTrack(null).catch(() => {}));
  }

  close() {
    this.#silence();
    this.#connection.close();
  }

  #silence() {
    this.#connection.onicecandidate = null;
    this.#connection.onconnectionstatechange = null;
    this.#connection.ontrack = null;
    this.#channel.onmessage = null;
    this.#channel.onclose = null;
  }

  #onCandidate(candidate) {
    // The end of the candidates, told by null or by an empty one, is of no use to a peer who checks as they come.
    if (candidate?.candidate) {
      this.#events.onCandidate(candidate.toJSON());
    }
  }

  #onState() {
    switch (this.#connection.connectionState) {
      case "connected":
        this.#events.onConnected();
        break;
      case "disconnected":
        this.#events.onInterrupted();
        break;
      case "failed":
        this.#events.onFailed();
        break;
    }
  }

  #onTrack(track) {
    this.#remoteStream.addTrack(track);
    this.#events.onStream(this.#remoteStream);
  }
}
