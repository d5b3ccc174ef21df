// Perfect negotiation (W3C WebRTC, 10.7) with one peer: both ends may offer at any time, and the polite one
// takes its offer back when two cross. All that waits for the browser runs in one chain of tasks, so no step
// sees another half done.
//
// An answer names its offer by the origin line of that ("inReplyTo"), as pages of version 1 do, so none is taken for
// one to a later offer. An offer that can't be taken is answered, too: by a "rollback".

const AGAIN_MS = 3000; // an offer that was of no use is made again
const FIRST_WORD_MS = 1000; // for the first offer of who is not polite
const OLD_PEER_MS = 2500; // and for that of a page of version 1, which offers when it has heard nothing for 1.5 s

const originOf = (sdp) => sdp.match(/^o=(.*)/m)?.[1];

/** See signal.d.ts. */
export function negotiate(pc, client, peer, options = {}) {
  let { id, order, version } = peer;
  let isIgnoring = false; // the last offer of the other end, and so its candidates
  let isRefused = false; // our last offer
  let isStopped = false;
  const held = []; // candidates that have come before any description
  let tasks = Promise.resolve();

  // Rule 6. Without a session of our own there is nobody to be polite to.
  const isPolite = () => options.polite ?? (version === 1 || client.self?.order > order);

  const enqueue = (task) => {
    tasks = tasks
      .then(() => (isStopped || pc.signalingState === "closed" ? undefined : task()))
      .catch((error) => console.warn("negotiate:", error));
  };

  // What is refused or lost needs nothing: the peer has left, or what brings it back starts over.
  const say = (signal) => isStopped || client.send(signal, id);
  const describe = (inReplyTo) => {
    const { type, sdp } = pc.localDescription;
    say({ type, sdp: { type, sdp, inReplyTo } });
  };
  const isOffering = () => pc.signalingState === "have-local-offer";
  const takeBack = () => isOffering() && pc.setLocalDescription({ type: "rollback" });

  const offer = async () => {
    if (pc.signalingState === "stable") {
      isRefused = false;
      await pc.setLocalDescription(); // otherwise the event comes again when it is stable
      describe();
    }
  };

  const setRemote = async (type, sdp) => {
    await pc.setRemoteDescription({ type, sdp });
    held.splice(0).forEach(enqueue);
  };

  const takeOffer = async (sdp) => {
    isIgnoring = isOffering() && !isRefused && !isPolite();
    if (isIgnoring) {
      return;
    }
    const inReplyTo = originOf(sdp);
    try {
      await Promise.all([takeBack(), setRemote("offer", sdp)]);
      await pc.setLocalDescription();
      describe(inReplyTo);
    } catch (error) {
      if (version > 1) {
        say({ type: "answer", sdp: { type: "rollback", sdp: "", inReplyTo } });
      }
      throw error;
    }
  };

  const takeAnswer = async (sdp, { type, inReplyTo }) => {
    if (!isOffering() || ![undefined, originOf(pc.localDescription.sdp)].includes(inReplyTo)) {
      return;
    }
    try {
      if (type === "rollback") {
        throw new Error("refused");
      }
      await setRemote("answer", sdp);
    } catch (error) {
      isRefused = true; // until it is made again, an offer of the other end goes first
      setTimeout(() => enqueue(() => isRefused && takeBack()), AGAIN_MS);
      throw error;
    }
  };

  const takeCandidate = (candidate) => {
    const init = typeof candidate === "string" ? { candidate, sdpMLineIndex: 0 } : candidate ?? undefined;
    return pc.addIceCandidate(init).catch((error) => {
      if (!isIgnoring) {
        throw error;
      }
    });
  };

  const onSignal = ({ from, signal: { type, sdp, candidate } }) => {
    const text = sdp?.sdp ?? sdp;
    const take = {
      offer: () => takeOffer(text),
      answer: () => takeAnswer(text, sdp),
      candidate: () => (pc.remoteDescription ? takeCandidate(candidate) : held.push(take)),
    }[type];
    if (from.id === id && take) {
      enqueue(take);
    }
  };

  // One of the two has a new session. Signals may have been lost, so both ends go back to what they agreed on,
  // and one begins again.
  const startOver = (next) => {
    ({ id, order, version } = next);
    enqueue(async () => {
      isIgnoring = false;
      await takeBack();
      if (!isPolite()) {
        pc.restartIce();
      }
    });
  };

  const restart = () => enqueue(() => pc.remoteDescription && pc.restartIce());
  // First offers had better not cross: of Chromium's, one in twenty that is taken back at once never finds a candidate.
  const onNegotiationNeeded = () => {
    if (isPolite() && !pc.remoteDescription) {
      const ms = version > 1 ? FIRST_WORD_MS : OLD_PEER_MS;
      setTimeout(() => enqueue(() => pc.remoteDescription || offer()), ms);
    } else {
      enqueue(offer);
    }
  };
  const onCandidate = ({ candidate }) => candidate && say({ type: "candidate", candidate });
  const onIceState = () => {
    if (/disconnected|failed/.test(pc.iceConnectionState)) {
      client.check(); // what took the media away may have taken the line, too
      restart();
    }
  };

  const ends = [
    client.on("signal", onSignal),
    client.on("peer-joined", (next) => next.formerly === id && startOver(next)),
    client.on("joined", ({ peers }) => {
      const next = [...peers.values()].find((one) => one.id === id || one.formerly === id);
      return next && startOver(next);
    }),
  ];
  const listen = (target, type, handler) => {
    target.addEventListener?.(type, handler);
    ends.push(() => target.removeEventListener?.(type, handler));
  };
  listen(pc, "negotiationneeded", onNegotiationNeeded);
  listen(pc, "icecandidate", onCandidate);
  listen(pc, "iceconnectionstatechange", onIceState);
  listen(globalThis, "online", restart);

  return {
    stop() {
      isStopped = true;
      ends.forEach((end) => end());
    },
  };
}
