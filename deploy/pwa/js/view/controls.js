// The buttons of a call, what is wrong with our own devices, and the choice between them.

import { hasWindow, toggleWindow } from "../screen.js";
import { byId, setText } from "./dom.js";

const TOGGLES = { microphone: "audio", camera: "video" };
const CHOICES = { audio: "microphone-choice", video: "camera-choice", output: "speaker-choice" };

export class Controls {
  #t;
  #handlers;

  /** Handlers: onToggle(kind), onFlip(), onHangUp(), onDevices(), which promises lists as media.js has them, and
   * onChoose(kind, id) with a kind of "audio", "video" or "output". */
  constructor(t, handlers, stage) {
    this.#t = t;
    this.#handlers = handlers;
    const onClick = (id, act) => byId(id).addEventListener("click", act);
    onClick("hang-up", () => handlers.onHangUp());
    onClick("flip", () => handlers.onFlip());
    onClick("window", () => this.#toggleWindow());
    onClick("sound", () => stage.unblock());
    onClick("show-devices", () => this.#openDevices());
    onClick("look-devices", () => this.#openDevices());
    for (const [id, kind] of Object.entries(TOGGLES)) {
      onClick(id, () => handlers.onToggle(kind));
    }
    for (const [kind, id] of Object.entries(CHOICES)) {
      byId(id).addEventListener("change", ({ target }) => handlers.onChoose(kind, target.value));
    }
    stage.onBlocked = (isBlocked) => (byId("sound").hidden = !isBlocked);
  }

  render({ phase, media, hasMoreCameras, isOffline }) {
    for (const [id, kind] of Object.entries(TOGGLES)) {
      byId(id).setAttribute("aria-pressed", String(media[kind] === "on"));
    }
    byId("flip").hidden = !hasMoreCameras || media.video !== "on" || phase !== "incall";
    byId("window").hidden = phase !== "incall" || !hasWindow(byId("remote"));
    byId("show-devices").hidden = phase === "asking" || phase === "connecting";
    byId("microphone").hidden = byId("camera").hidden = phase === "asking" || phase === "full";
    setText(byId("media-notice"), this.#notice(phase, media, isOffline));
  }

  #notice(phase, media, isOffline) {
    if (isOffline && phase !== "idle") {
      return this.#t("offline");
    }
    const faults = ["none", "denied", "busy", "lost", "insecure"];
    const isQuiet = ["idle", "asking", "refused", "connecting", "full", "ended", "incoming"].includes(phase);
    const [audio, video] = ["audio", "video"].map((kind) => (faults.includes(media[kind]) ? media[kind] : null));
    if (isQuiet || (audio === null && video === null)) {
      return "";
    }
    if (audio !== null && video !== null) {
      return this.#t(audio === video ? `both_${audio}` : "both_none");
    }
    return this.#t(audio === null ? `camera_${video}` : `microphone_${audio}`);
  }

  async #toggleWindow() {
    try {
      await toggleWindow(byId("remote"));
    } catch (error) {
      console.warn("picture-in-picture:", error.message); // no picture yet
    }
  }

  async #openDevices() {
    const devices = await this.#handlers.onDevices();
    for (const [kind, id] of Object.entries(CHOICES)) {
      const list = devices[kind];
      const name = (label, i) => label || this.#t("device_unnamed", { number: i + 1 });
      byId(id).replaceChildren(
        ...list.map(({ id: value, label, isChosen }, i) => new Option(name(label, i), value, isChosen, isChosen)),
      );
      const isUseless = list.length === 0 || (kind === "output" && !("setSinkId" in HTMLMediaElement.prototype));
      byId(id).closest(".field").hidden = isUseless;
    }
    byId("devices").showModal();
  }
}
