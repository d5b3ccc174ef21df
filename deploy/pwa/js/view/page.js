// The page as a person sees it: one function draws a whole model, and every press goes to one handler.
//
// Nothing here knows of calls or servers. What is visible in which phase is the style sheets' business: the phase is an
// attribute of the body. The view only fills in words and states, and keeps the keyboard focus on something useful.

import { CallView } from "./call.js";
import { Controls } from "./controls.js";
import { byId, setText } from "./dom.js";
import { Invitation } from "./invitation.js";
import { Stage } from "./stage.js";
import { StartView } from "./start.js";

export class View {
  #t;
  #parts;
  #stage;
  #start;
  #phase = null;

  /** Fill in what never changes, and connect the handlers, which app.js describes. */
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
    this.#stage = new Stage();
    this.#start = new StartView(t, handlers);
    this.#parts = [
      this.#start,
      new Invitation(t, handlers),
      this.#stage,
      new CallView(t),
      new Controls(t, handlers, this.#stage),
    ];
  }

  set name(name) {
    this.#start.name = name;
  }

  /** Draw the model that app.js describes. */
  render(model) {
    document.body.dataset.phase = model.phase;
    document.body.classList.toggle("trouble", model.isServerLost || model.isInterrupted);
    document.body.classList.toggle("interrupted", model.isInterrupted);
    document.body.classList.toggle("looking", model.isLooking);
    this.#renderState(model);
    this.#parts.forEach((part) => part.render(model));
    if (model.phase !== this.#phase) {
      this.#phase = model.phase;
      this.#focus(model.phase);
    }
  }

  #renderState(model) {
    const [status, detail] = stateKeys(model);
    const name = model.partner?.name || model.contact?.name || model.inviter || this.#t("someone");
    const values = { name, message: model.message };
    setText(byId("status"), this.#t(status, values));
    setText(byId("detail"), detail === null ? "" : this.#t(detail, values));
  }

  /** Show our own picture, and the other side's; null for none. */
  showLocal(stream) {
    this.#stage.showLocal(stream);
  }

  showRemote(stream) {
    this.#stage.showRemote(stream);
  }

  get remoteVideo() {
    return byId("remote");
  }

  /** A control that had the focus may just have disappeared; a keyboard must not be sent back to the top of the page. Nor
   * must it land on the button that hangs up: the key of the last press may still be down. */
  #focus(phase) {
    const start = byId("name").value === "" ? "name" : "call";
    const target = { idle: start, waiting: "share", ended: "call", incoming: "call", refused: "call", full: "home" }[phase];
    byId(target ?? "main").focus({ preventScroll: true });
  }
}

/** The keys of the headline and of the line below it, null where there is none. */
function stateKeys({ phase, isServerLost, isInterrupted, isOffline, inviter, isInvited, contact, partner, reason }) {
  if (phase === "ended") {
    return reason === "taken" ? ["taken", "taken_detail"] : ["ended", `ended_${reason}_detail`];
  }
  if (isServerLost && phase !== "full") {
    return ["lost", phase === "incall" ? "lost_incall_detail" : "lost_detail"];
  }
  if (isInterrupted) {
    return ["peer_lost", "peer_lost_detail"];
  }
  switch (phase) {
    case "idle":
      if (isOffline) {
        return ["offline", "offline_detail"];
      }
      return isInvited ? [inviter === null ? "idle_guest" : "idle_inviter", "idle_guest_detail"] : ["idle", "idle_detail"];
    case "waiting":
      if (partner !== null) {
        return ["waiting_contact", "waiting_resting_detail"];
      }
      if (contact !== null) {
        return ["waiting_contact", "waiting_contact_detail"];
      }
      return ["waiting", isInvited ? "waiting_guest_detail" : "waiting_detail"];
    case "incall":
      return ["incall", null];
    default:
      return [phase, `${phase}_detail`];
  }
}
