// The camera and the microphone: as much of them as the browser, the devices and their owner allow.
//
// A call is worth having without a camera, and even without a microphone. So a missing device leads to a smaller wish;
// only a refusal is asked about. A camera that is turned off is given back, so that its light goes out; a microphone is
// only muted, so that it is back at once. What the system takes away, for an incoming phone call say, is taken again
// when it is to be had.

import { read, write } from "./store.js";

const DEVICES_KEY = "homecall.devices";
const KINDS = ["audio", "video"];
const SIZE = { width: { ideal: 1280 }, height: { ideal: 720 } };
const ASKING_AFTER_MS = 400; // a browser that needs nobody's answer is quicker
const BACK_AFTER_MS = 1000; // a system that gives a device back by itself is quicker

export class Media {
  stream = new MediaStream(); // always the same one, with the tracks that there are

  #wanted = { audio: true, video: true }; // what its owner wants to be heard and seen
  #state = { audio: "none", video: "none" };
  #facing = "user";
  #chosen;
  #cameras = 0;
  #isOpen = false;
  #opening = 0; // counts, so that an older attempt sees that it is no longer wanted
  #events;

  /** `events`: onChange(), when a state has changed, and onTrack(kind, track or null), another track than before. */
  constructor(events) {
    this.#events = events;
    this.#chosen = read("localStorage", DEVICES_KEY) ?? {};
    const again = () => document.hidden || this.#takeBack();
    document.addEventListener("visibilitychange", again);
    navigator.mediaDevices?.addEventListener?.("devicechange", () => {
      again();
      this.#countCameras();
    });
  }

  get isOpen() {
    return this.#isOpen;
  }

  /** Of "audio" or "video": "on", "off" (by its owner), "none" (there is no device), "denied", "busy" (another program
   * has it), "lost" (the system has taken it away), or "insecure" (the browser gives it to https:// alone). */
  state(kind) {
    return this.#state[kind];
  }

  get hasMoreCameras() {
    return this.#cameras > 1;
  }

  get facing() {
    return this.#facing;
  }

  track(kind) {
    return this.stream.getTracks().find((track) => track.kind === kind) ?? null;
  }

  /** Ask for the devices. `onAsking` is called if the browser takes its time, which means that it asks its user.
   * Returns "open", "refused" (nothing was allowed), or "superseded" by close() or another open(). */
  async open(onAsking) {
    const opening = (this.#opening += 1);
    this.#isOpen = true;
    const timer = setTimeout(onAsking, ASKING_AFTER_MS);
    const { stream, fault } = await this.#askForBoth();
    clearTimeout(timer);
    if (opening !== this.#opening) {
      stopAll(stream);
      return "superseded";
    }
    if (stream === null && fault === "denied") {
      this.#isOpen = false;
      return "refused";
    }
    const tracks = stream?.getTracks() ?? [];
    for (const kind of KINDS) {
      this.#put(kind, tracks.find((track) => track.kind === kind) ?? null, fault);
    }
    this.#countCameras();
    this.#events.onChange();
    return "open";
  }

  /** Go on without any device. */
  openNothing() {
    this.#opening += 1;
    this.#isOpen = true;
    KINDS.forEach((kind) => this.#put(kind, null, "denied"));
    this.#events.onChange();
  }

  close() {
    this.#opening += 1;
    this.#isOpen = false;
    KINDS.forEach((kind) => this.#put(kind, null, "none"));
    this.#wanted = { audio: true, video: true };
    this.#events.onChange();
  }

  /** Turn it on, which may ask for the device, or off. */
  async toggle(kind) {
    const track = this.track(kind);
    const isOn = this.#state[kind] === "on";
    this.#wanted[kind] = !isOn;
    if (isOn && kind === "video") {
      this.#put(kind, null, "off");
    } else if (track !== null && track.readyState === "live" && !track.muted) {
      track.enabled = !isOn;
      this.#state[kind] = isOn ? "off" : "on";
    } else {
      await this.#reopen(kind);
      return;
    }
    this.#events.onChange();
  }

  /** The camera on the other side of a phone. */
  async flip() {
    this.#facing = this.#facing === "user" ? "environment" : "user";
    delete this.#chosen.video;
    await this.#reopen("video");
  }

  async choose(kind, deviceId) {
    this.#chosen[kind] = deviceId;
    write("localStorage", DEVICES_KEY, this.#chosen);
    if (kind !== "output" && this.#wanted[kind]) {
      await this.#reopen(kind);
    }
  }

  /** What can be chosen: { audio, video, output } lists of { id, label, isChosen }. */
  async devices() {
    const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
    const current = (kind) => this.track(kind)?.getSettings().deviceId ?? this.#chosen[kind];
    const of = (type, chosen) =>
      all
        .filter(({ kind, deviceId }) => kind === type && deviceId !== "")
        .map(({ deviceId, label }) => ({ id: deviceId, label, isChosen: deviceId === chosen }));
    return {
      audio: of("audioinput", current("audio")),
      video: of("videoinput", current("video")),
      output: of("audiooutput", this.#chosen.output ?? "default"),
    };
  }

  /** The loudspeaker that was chosen, or null. */
  get output() {
    return this.#chosen.output ?? null;
  }

  // What is asked for.

  #wish(kind) {
    const chosen = this.#chosen[kind];
    if (chosen) {
      return { ...(kind === "video" ? SIZE : {}), deviceId: { exact: chosen } };
    }
    return kind === "audio" ? true : { ...SIZE, facingMode: this.#facing };
  }

  /** Ask for these kinds; where a chosen device has gone, for any. */
  async #ask(...kinds) {
    const wishes = () => Object.fromEntries(kinds.map((kind) => [kind, this.#wish(kind)]));
    const answer = await ask(wishes());
    if (answer.fault !== "none" || !kinds.some((kind) => this.#chosen[kind])) {
      return answer;
    }
    kinds.forEach((kind) => delete this.#chosen[kind]);
    return ask(wishes());
  }

  /** { stream, fault }: what could be had, perhaps nothing (null), and why not all of it. */
  async #askForBoth() {
    const both = await this.#ask(...KINDS);
    if (both.stream !== null || (both.fault === "denied" && !(await isOneForbidden()))) {
      return both;
    }
    for (const kind of KINDS) {
      const { stream } = await this.#ask(kind);
      if (stream !== null) {
        return { stream, fault: both.fault };
      }
    }
    return both;
  }

  /** Take the device anew: another one, or one that was given back or lost. */
  async #reopen(kind) {
    const opening = this.#opening;
    const old = this.track(kind);
    if (kind === "video") {
      old?.stop(); // many phones open one camera only
    }
    const { stream, fault } = await this.#ask(kind);
    if (opening !== this.#opening || !this.#wanted[kind]) {
      stopAll(stream);
      return;
    }
    if (stream !== null || old === null || old.readyState === "ended") {
      this.#put(kind, stream?.getTracks()[0] ?? null, fault);
    }
    this.#events.onChange();
  }

  #put(kind, track, fault) {
    const old = this.track(kind);
    if (old !== null) {
      old.onended = old.onmute = old.onunmute = null;
      old.stop();
      this.stream.removeTrack(old);
    }
    this.#state[kind] = track === null ? (fault ?? "none") : this.#wanted[kind] ? "on" : "off";
    if (track !== null) {
      track.enabled = this.#wanted[kind];
      track.onended = track.onmute = () => this.#onTaken(kind);
      track.onunmute = () => this.#onGivenBack(kind);
      this.stream.addTrack(track);
    }
    if (track !== old) {
      this.#events.onTrack(kind, track);
    }
  }

  // What the system takes and gives back.

  #onTaken(kind) {
    if (this.#state[kind] === "on") {
      this.#state[kind] = "lost";
      this.#events.onChange();
      setTimeout(() => document.hidden || this.#takeBack(), BACK_AFTER_MS);
    }
  }

  #onGivenBack(kind) {
    if (this.#state[kind] === "lost") {
      this.#state[kind] = "on";
      this.#events.onChange();
    }
  }

  #takeBack() {
    const isMissing = (kind) => this.#wanted[kind] && ["lost", "busy", "none"].includes(this.#state[kind]);
    if (this.#isOpen) {
      KINDS.filter(isMissing).forEach((kind) => this.#reopen(kind));
    }
  }

  async #countCameras() {
    const cameras = (await this.devices()).video.length;
    if (cameras !== this.#cameras) {
      this.#cameras = cameras;
      this.#events.onChange();
    }
  }
}

const FAULTS = { NotAllowedError: "denied", SecurityError: "denied", NotReadableError: "busy", AbortError: "busy" };

/** { stream, fault }: one of the two is null. */
async function ask(wish) {
  try {
    return { stream: await navigator.mediaDevices.getUserMedia(wish), fault: null };
  } catch (error) {
    // A page that is neither https:// nor of this machine has no devices at all.
    return { stream: null, fault: window.isSecureContext ? (FAULTS[error.name] ?? "none") : "insecure" };
  }
}

/** Whether the browser has a standing refusal for one of the two devices, and not for the other: asking for that one
 * bothers nobody a second time. */
async function isOneForbidden() {
  const state = async (name) => {
    try {
      return (await navigator.permissions.query({ name })).state;
    } catch {
      return "unknown"; // not every browser tells
    }
  };
  const states = await Promise.all(["camera", "microphone"].map(state));
  return states.filter((one) => one === "denied").length === 1;
}

function stopAll(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}
