// The start screen: the people whom this device knows, a name, one big button, and a codeword to be typed. The big
// button serves the ends of calls as well: it calls again, answers, or asks for the camera again.

import { ContactDialog } from "./contact_dialog.js";
import { byId, drawFace, icon, setText } from "./dom.js";

/** The words on the big button and on the quiet one below it, by phase. */
const LABELS = {
  idle: { call: "call", home: "home" },
  refused: { call: "retry", home: "home" },
  full: { call: "call", home: "home" },
  ended: { call: "again", home: "home" },
  incoming: { call: "answer", home: "decline" },
};

export class StartView {
  #t;
  #handlers;
  #dialog;
  #shown = null; // the contacts

  /** Handlers: onStart(), onName(name), onContact(contact), onRoom(text), which returns whether that is a room,
   * onWithout(), onLook(), onHome(), and those of the dialog. */
  constructor(t, handlers) {
    this.#t = t;
    this.#handlers = handlers;
    this.#dialog = new ContactDialog(t, handlers);
    byId("start").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#withName(() => handlers.onStart());
    });
    byId("name").addEventListener("input", () => this.#showNameFault(false));
    byId("without").addEventListener("click", () => handlers.onWithout());
    byId("look").addEventListener("click", () => handlers.onLook());
    byId("home").addEventListener("click", () => handlers.onHome());
    byId("typed").addEventListener("input", () => setText(byId("typed-fault"), ""));
    byId("enter-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#onTyped();
    });
  }

  set name(name) {
    byId("name").value = name;
  }

  render({ phase, contacts, isInvited, isLooking, offered }) {
    const labels = LABELS[phase] ?? LABELS.idle;
    const isKnown = phase === "idle" && contacts.length > 0;
    setText(byId("call-text"), this.#t(phase === "idle" && isInvited ? "join" : isKnown ? "call_new" : labels.call));
    setText(byId("home"), this.#t(labels.home));
    setText(byId("start-hint"), phase === "idle" && !isInvited ? this.#t("hint") : "");
    byId("call").hidden = phase === "full";
    byId("without").hidden = phase !== "refused";
    byId("look").hidden = phase !== "idle";
    byId("home").hidden = phase === "idle" && !isInvited;
    setText(byId("look"), this.#t(isLooking ? "look_end" : "look"));
    byId("look").setAttribute("aria-pressed", String(isLooking));
    byId("look-devices").hidden = !(phase === "idle" && isLooking);
    byId("enter").hidden = isInvited || phase !== "idle";
    byId("contacts").hidden = isInvited || phase !== "idle" || contacts.length === 0;
    if (contacts !== this.#shown) {
      this.#shown = contacts;
      byId("contacts").replaceChildren(...contacts.map((contact) => this.#contact(contact)));
      document.body.classList.toggle("known", contacts.length > 0);
    }
    this.#dialog.render(offered);
  }

  /** A face with one button, and a small one for the rest. */
  #contact(contact) {
    const face = document.createElement("span");
    face.className = "face";
    face.setAttribute("aria-hidden", "true");
    drawFace(face, contact.name);
    const name = document.createElement("span");
    name.className = "contact-name";
    name.textContent = contact.name;
    name.setAttribute("aria-hidden", "true");
    const words = document.createElement("span"); // to hear
    words.className = "hidden-label";
    words.textContent = this.#t("contact_call", { name: contact.name });
    const call = document.createElement("button");
    call.type = "button";
    call.className = "contact";
    call.append(face, words, name, icon("phone"));
    call.addEventListener("click", () => this.#withName(() => this.#handlers.onContact(contact)));
    const more = document.createElement("button");
    more.type = "button";
    more.className = "more";
    more.setAttribute("aria-label", this.#t("contact_more", { name: contact.name }));
    more.append(icon("more"));
    more.addEventListener("click", () => this.#dialog.open(contact));
    const item = document.createElement("li");
    item.append(call, more);
    return item;
  }

  /** Nobody is called by someone without a name. */
  #withName(act) {
    const name = byId("name").value.trim();
    this.#showNameFault(name === "");
    if (name !== "") {
      this.#handlers.onName(name);
      act();
    }
  }

  #onTyped() {
    this.#withName(() => {
      if (this.#handlers.onRoom(byId("typed").value)) {
        byId("typed").value = "";
      } else {
        setText(byId("typed-fault"), this.#t("enter_fault"));
        byId("typed").focus();
      }
    });
  }

  #showNameFault(isMissing) {
    byId("name").setAttribute("aria-invalid", String(isMissing));
    setText(byId("name-fault"), isMissing ? this.#t("name_missing") : "");
    if (isMissing) {
      byId("name").focus();
    }
  }
}
