// How good the connection of a call is, as its statistics tell: by the round trip and by what is lost on the way.

const EVERY_MS = 2000;
const LEVELS = [
  { level: "poor", roundTripS: 0.6, lost: 0.08 },
  { level: "fair", roundTripS: 0.3, lost: 0.03 },
]; // from there on

/** What one look at the statistics says: { roundTripS, lost, received }, packets counted from the beginning. */
function read(report) {
  const sum = { roundTripS: 0, lost: 0, received: 0 };
  for (const stats of report.values()) {
    if (stats.type === "candidate-pair" && stats.nominated && stats.state === "succeeded") {
      sum.roundTripS = Math.max(sum.roundTripS, stats.currentRoundTripTime ?? 0);
    } else if (stats.type === "inbound-rtp") {
      sum.lost += stats.packetsLost ?? 0;
      sum.received += stats.packetsReceived ?? 0;
    }
  }
  return sum;
}

/** "good", "fair" or "poor", by two looks one after the other. */
export function judge(before, now) {
  const lost = Math.max(0, now.lost - before.lost);
  const all = lost + Math.max(0, now.received - before.received);
  const share = all === 0 ? 0 : lost / all;
  const reached = LEVELS.find((bound) => now.roundTripS >= bound.roundTripS || share >= bound.lost);
  return reached?.level ?? "good";
}

/** Look at the connection that `connection()` gives, again and again. `onLevel` gets each judgement, null without a
 * connection. Returns how to end it. */
export function watchQuality(connection, onLevel) {
  let last = { pc: null, sum: null };
  const look = async () => {
    const pc = connection();
    const sum = pc === null ? null : read(await pc.getStats());
    const isGoingOn = last.pc === pc && last.sum !== null && sum !== null;
    onLevel(isGoingOn ? judge(last.sum, sum) : null);
    last = { pc, sum };
  };
  const timer = setInterval(() => look().catch((error) => console.warn("getStats:", error.message)), EVERY_MS);
  return () => clearInterval(timer);
}
