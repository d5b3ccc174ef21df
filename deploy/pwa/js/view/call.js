// What is said about a call that goes on: how long, how well, and what the other side can't be heard or seen for.

import { byId, setText } from "./dom.js";

/** "3:07" or "1:02:45". */
export function duration(ms) {
  const seconds = Math.floor(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] > 0 ? parts : parts.slice(1);
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

export class CallView {
  #t;
  #since = null;
  #timer = null;

  constructor(t) {
    this.#t = t;
  }

  render({ phase, since, quality, partner }) {
    const isInCall = phase === "incall";
    byId("peer-muted").hidden = !isInCall || partner === null || partner.hasAudio;
    byId("quality").hidden = quality === null;
    byId("quality").dataset.level = quality ?? "";
    byId("quality").setAttribute("aria-label", quality === null ? "" : this.#t(`quality_${quality}`));
    this.#runClock(isInCall ? since : null);
  }

  #runClock(since) {
    if (since === this.#since) {
      return;
    }
    this.#since = since;
    clearInterval(this.#timer);
    byId("clock").hidden = since === null;
    if (since !== null) {
      const show = () => setText(byId("clock"), duration(performance.now() - since));
      this.#timer = setInterval(show, 1000);
      show();
    }
  }
}
