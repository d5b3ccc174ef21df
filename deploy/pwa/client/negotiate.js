// Perfect negotiation (W3C WebRTC, 10.7) with one peer: both ends may offer at any time, and the polite one
// takes its offer back when two cross. All that waits for the browser runs in one chain of tasks, so no step
// sees another half done.

/** See signal.d.ts. */
export function negotiate(pc, client, peer, options = {}) {
  let { id, order, version } = peer;
  let isIgnoring = false; // the last offer of the other end, and so its candidates
  let isStopped = false;
  let tasks = Promise.resolve();

  // Rule 6. Without a session of our own there is nobody to be polite to.
  const isPolite = () => {
    const { order: ours = 0 } = client.self || {};
    return options.polite !== undefined ? options.polite : version === 1 || ours > order;
  };

  const enqueue = (task) => {
    tasks = tasks
      .then(() => (isStopped || pc.signalingState === "closed" ? undefined : task()))
      .catch((error) => console.warn("negotiate:", error));
  };

  // What is refused or lost needs nothing: the peer has left, or what brings it back starts over.
  const say = (signal) => client.send(signal, id).catch(() => {});
  const describe = ({ type, sdp }) => say({ type, sdp: { type, sdp } });

  const offer = async () => {
    if (pc.signalingState === "stable") {
      await pc.setLocalDescription(); // otherwise the event comes again when it is stable
      describe(pc.localDescription);
    }
  };

  const takeDescription = async ({ type, sdp }) => {
    const description = { type, sdp: typeof sdp === "string" ? sdp : sdp.sdp };
    const isCrossing = type === "offer" && pc.signalingState !== "stable";
    isIgnoring = isCrossing && !isPolite();
    if (isIgnoring || (type === "answer" && pc.signalingState !== "have-local-offer")) {
      return;
    }
    await Promise.all([
      isCrossing && pc.setLocalDescription({ type: "rollback" }),
      pc.setRemoteDescription(description),
    ]);
    if (type === "offer") {
      await pc.setLocalDescription();
      describe(pc.localDescription);
    }
  };

  const takeCandidate = async ({ candidate }) => {
    try {
      await pc.addIceCandidate(candidate || undefined);
    } catch (error) {
      if (!isIgnoring) {
        throw error;
      }
    }
  };

  const onSignal = ({ from, signal }) => {
    if (from.id === id && signal.type !== "signal") {
      enqueue(() => (signal.type === "candidate" ? takeCandidate(signal) : takeDescription(signal)));
    }
  };

  // One of the two has a new session. Signals may have been lost, so both ends go back to what they agreed on,
  // and one begins again.
  const startOver = (next) => {
    ({ id, order, version } = next);
    enqueue(async () => {
      isIgnoring = false;
      if (pc.signalingState === "have-local-offer") {
        await pc.setLocalDescription({ type: "rollback" });
      }
      if (!isPolite()) {
        pc.restartIce();
      }
    });
  };

  const restart = () => pc.remoteDescription && pc.restartIce();
  const onNegotiationNeeded = () => enqueue(offer);
  const onCandidate = ({ candidate }) => candidate && say({ type: "candidate", candidate });
  const onIceState = () => pc.iceConnectionState === "failed" && restart();

  const ends = [
    client.on("signal", onSignal),
    client.on("peer-joined", (next) => next.formerly === id && startOver(next)),
    client.on("joined", ({ peers }) => {
      const next = [...peers.values()].find((one) => one.id === id || one.formerly === id);
      return next && startOver(next);
    }),
  ];
  const listen = (target, type, handler) => {
    if (target.addEventListener) {
      target.addEventListener(type, handler);
      ends.push(() => target.removeEventListener(type, handler));
    }
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
