// The pictures: the other side's, or the face that stands for it, and our own, which can be moved from corner to corner.

import { byId, drawFace } from "./dom.js";

const LEAST_KEPT = 0.6; // of a picture that fills the window; below that it is shown whole
const CORNERS = ["bottom-right", "bottom-left", "top-left", "top-right"];
const DRAG_FROM_PX = 6;

/** How much of a picture can be seen when it fills a window, by their proportions. */
export const keptShare = (picture, window) => Math.min(picture / window, window / picture);

export class Stage {
  #hasPicture = false; // by what the other side says
  #onBlocked = () => {};
  #drag = null;

  constructor() {
    const remote = byId("remote");
    remote.addEventListener("resize", () => this.#show());
    addEventListener("resize", () => this.#fit());
    this.#keepClear();
    const self = byId("self");
    self.dataset.corner = CORNERS[0];
    self.addEventListener("click", () => this.#onClick());
    self.addEventListener("pointerdown", (event) => this.#onGrab(event));
    self.addEventListener("pointermove", (event) => this.#onMove(event));
    for (const type of ["pointerup", "pointercancel"]) {
      self.addEventListener(type, () => this.#onDrop());
    }
  }

  /** `act(isBlocked)` is called when the browser plays no sound before a touch, and when it does. */
  set onBlocked(act) {
    this.#onBlocked = act;
  }

  render({ phase, partner, media, facing }) {
    this.#hasPicture = partner?.hasVideo ?? false;
    drawFace(byId("avatar"), partner?.name ?? "");
    this.#show();
    byId("self").hidden = media.video !== "on";
    byId("self").classList.toggle("mirror", facing === "user");
    byId("self").disabled = phase !== "incall"; // elsewhere it has a place of its own
  }

  showLocal(stream) {
    const video = byId("local");
    if (video.srcObject !== stream) {
      video.srcObject = stream;
    }
  }

  /** Show and play the other side, or nothing (null). */
  showRemote(stream) {
    const video = byId("remote");
    if (video.srcObject !== stream) {
      video.srcObject = stream;
    }
    this.#show();
    if (stream === null) {
      this.unblock();
      return;
    }
    video.play().catch((error) => {
      // A page that nobody has touched yet (after a reload) may be allowed to play silently only.
      if (error.name === "NotAllowedError") {
        video.muted = true;
        this.#onBlocked(true);
        video.play().catch(() => {});
      }
    });
  }

  unblock() {
    byId("remote").muted = false;
    this.#onBlocked(false);
  }

  #show() {
    const video = byId("remote");
    const isSeen = this.#hasPicture && video.srcObject !== null && video.videoWidth > 0;
    byId("avatar").hidden = isSeen;
    document.body.classList.toggle("seen", isSeen);
    this.#fit();
  }

  #fit() {
    const { videoWidth, videoHeight } = byId("remote");
    const kept = videoWidth > 0 ? keptShare(videoWidth / videoHeight, innerWidth / innerHeight) : 1;
    byId("remote").classList.toggle("whole", kept < LEAST_KEPT);
  }

  /** Our own picture stays clear of the words above and of the controls below, however high those are. */
  #keepClear() {
    const heights = { "--words-height": document.querySelector(".panel"), "--controls-height": byId("controls") };
    const observer = new ResizeObserver(() => {
      for (const [name, element] of Object.entries(heights)) {
        document.body.style.setProperty(name, `${element.offsetHeight}px`);
      }
    });
    Object.values(heights).forEach((element) => observer.observe(element));
  }

  // Our own picture.

  #onGrab({ pointerId, clientX, clientY }) {
    if (!byId("self").disabled) {
      this.#drag = { x: clientX, y: clientY, hasMoved: false };
      byId("self").setPointerCapture(pointerId);
    }
  }

  #onMove({ clientX, clientY }) {
    if (this.#drag === null) {
      return;
    }
    const [x, y] = [clientX - this.#drag.x, clientY - this.#drag.y];
    this.#drag.hasMoved ||= Math.hypot(x, y) >= DRAG_FROM_PX;
    if (this.#drag.hasMoved) {
      byId("self").style.transform = `translate(${x}px, ${y}px)`;
    }
  }

  #onDrop() {
    if (this.#drag?.hasMoved) {
      const { left, top, width, height } = byId("self").getBoundingClientRect();
      const vertical = top + height / 2 < innerHeight / 2 ? "top" : "bottom";
      const horizontal = left + width / 2 < innerWidth / 2 ? "left" : "right";
      byId("self").dataset.corner = `${vertical}-${horizontal}`;
      byId("self").style.transform = "";
    } else {
      this.#drag = null;
    }
  }

  /** Without a drag, a press moves it on by one corner: that is how a keyboard moves it. */
  #onClick() {
    if (this.#drag?.hasMoved !== true) {
      const self = byId("self");
      self.dataset.corner = CORNERS[(CORNERS.indexOf(self.dataset.corner) + 1) % CORNERS.length];
    }
    this.#drag = null;
  }
}
