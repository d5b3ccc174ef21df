// The page as a person sees it: one function draws a whole model, and every press goes to one handler.
//
// Nothing here knows of calls or servers. What is visible in which phase is the style sheet's business: the
// phase is an attribute of the body. The view only fills in words and states, and keeps the keyboard focus on
// something useful.

const byId = (id) => document.getElementById(id);
const first = (text) => [...text][0] ?? "";

export class View {
  #t;
  #phase = null;
  #shownLink = null;

  /** Fill in what never changes, and connect the handlers: onStart(name), onHangUp(), onShare(), onRenew(),
   * onToggle("audio" | "video"). */
  constructor({ language, t, handlers }) {
    this.#t = t;
    document.documentElement.lang = language;
    document.title = t("product");
    for (const [attribute, target] of Object.entries({ placeholder: "placeholder", label: "aria-label" })) {
      for (const element of document.querySelectorAll(`[data-${attribute}]`)) {
        element.setAttribute(target, t(element.dataset[attribute]));
      }
    }
    for (const element of document.querySelectorAll("[data-text]")) {
      element.textContent = t(element.dataset.text);
    }
    this.#connect(handlers);
  }

  #connect({ onStart, onHangUp, onShare, onRenew, onToggle }) {
    byId("start").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = byId("name").value.trim();
      this.#showNameFault(name === "");
      if (name !== "") {
        onStart(name);
      }
    });
    byId("name").addEventListener("input", () => this.#showNameFault(false));
    byId("hang-up").addEventListener("click", onHangUp);
    byId("share").addEventListener("click", onShare);
    byId("renew").addEventListener("click", onRenew);
    byId("microphone").addEventListener("click", () => onToggle("audio"));
    byId("camera").addEventListener("click", () => onToggle("video"));
    byId("link").addEventListener("focus", (event) => event.target.select());
    byId("remote").addEventListener("resize", () => this.#showWhetherSeen());
    byId("sound").addEventListener("click", () => {
      byId("remote").muted = false;
      byId("sound").hidden = true;
    });
  }

  set name(name) {
    byId("name").value = name;
  }

  /** Draw the model that app.js describes. */
  render(model) {
    const { phase, isServerLost, isInterrupted, peerName, room, link } = model;
    document.body.dataset.phase = phase;
    document.body.classList.toggle("trouble", isServerLost || isInterrupted);
    document.body.classList.toggle("interrupted", isInterrupted);
    this.#renderState(model);
    this.#renderStart(model);
    byId("codeword").textContent = room ?? "";
    byId("link").value = link ?? "";
    if (link !== this.#shownLink) {
      this.#shownLink = link;
      this.showShareResult("");
    }
    byId("avatar").textContent = first(peerName ?? "").toUpperCase();
    this.#renderMedia(model);
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#focus(phase);
    }
  }

  #renderState(model) {
    const [status, detail] = stateKeys(model);
    const values = { name: model.peerName || this.#t("someone"), message: model.message };
    // The region is announced when it changes, so what has not changed is left alone.
    for (const [id, text] of [["status", this.#t(status, values)], ["detail", this.#t(detail, values)]]) {
      if (byId(id).textContent !== text) {
        byId(id).textContent = text;
      }
    }
  }

  #renderStart({ phase, isGuest }) {
    const isFirst = phase !== "ended";
    const label = isFirst ? (isGuest ? "join" : "call") : "again";
    byId("call-text").textContent = this.#t(label);
    byId("start-hint").textContent = isFirst && !isGuest ? this.#t("hint") : "";
    byId("renew").hidden = isFirst;
  }

  #renderMedia({ media, isMuted }) {
    byId("microphone").setAttribute("aria-pressed", String(!isMuted.audio));
    byId("camera").setAttribute("aria-pressed", String(!isMuted.video));
    byId("microphone").hidden = media !== "full" && media !== "audio";
    byId("camera").hidden = media !== "full" && media !== "video";
    const notice = media === null || media === "full" ? "" : this.#t(`media_${media}`);
    if (byId("media-notice").textContent !== notice) {
      byId("media-notice").textContent = notice;
    }
  }

  /** Show our own picture, or nothing. */
  showLocal(stream) {
    byId("local").hidden = stream === null || stream.getVideoTracks().length === 0;
    byId("local").srcObject = stream;
  }

  /** Show and play the other side, or nothing. */
  showRemote(stream) {
    const video = byId("remote");
    if (video.srcObject !== stream) {
      video.srcObject = stream;
    }
    this.#showWhetherSeen();
    if (stream === null) {
      video.muted = false;
      byId("sound").hidden = true;
      return;
    }
    video.play().catch((error) => {
      // A page that nobody has touched yet (after a reload) may be allowed to play silently only.
      if (error.name === "NotAllowedError") {
        video.muted = true;
        byId("sound").hidden = false;
        video.play().catch(() => {});
      }
    });
  }

  /** Until a picture comes, the first letter of the name stands in for it. */
  #showWhetherSeen() {
    const isSeen = byId("remote").srcObject !== null && byId("remote").videoWidth > 0;
    byId("avatar").hidden = isSeen;
    document.body.classList.toggle("seen", isSeen);
  }

  showShareResult(key) {
    byId("share-result").textContent = key === "" ? "" : this.#t(key);
    if (key === "shared_manual") {
      byId("link").focus();
    }
  }

  #showNameFault(isMissing) {
    byId("name").setAttribute("aria-invalid", String(isMissing));
    byId("name-fault").textContent = isMissing ? this.#t("name_missing") : "";
    if (isMissing) {
      byId("name").focus();
    }
  }

  /** A control that had the focus may just have disappeared; a keyboard must not be sent back to the top of
   * the page. Nor must it land on the button that hangs up: the key of the last press may still be down. */
  #focus(phase) {
    const start = byId("name").value === "" ? "name" : "call";
    const target = { idle: start, waiting: "share", ended: start }[phase];
    byId(target ?? "main").focus({ preventScroll: true });
  }
}

/** The keys of the headline and of the line below it. */
function stateKeys({ phase, isServerLost, isInterrupted, isGuest, reason }) {
  if (phase === "ended") {
    const hasOwnHeadline = reason === "full" || reason === "taken";
    return hasOwnHeadline ? [reason, `${reason}_detail`] : ["ended", `ended_${reason}_detail`];
  }
  if (isServerLost) {
    return ["lost", phase === "incall" ? "lost_incall_detail" : "lost_detail"];
  }
  if (isInterrupted) {
    return ["peer_lost", "peer_lost_detail"];
  }
  const isForGuest = isGuest && (phase === "idle" || phase === "waiting");
  if (phase === "idle" && isForGuest) {
    return ["idle_guest", "idle_guest_detail"];
  }
  return [phase, isForGuest ? `${phase}_guest_detail` : `${phase}_detail`];
}
