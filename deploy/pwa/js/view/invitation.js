// The invitation to a room: its codeword, its link, and the ways to hand them over.

import { drawCode } from "../share.js";
import { byId, setText } from "./dom.js";

export class Invitation {
  #t;
  #link = null;

  /** Handlers: onShare(), which promises a result as share.js has it. */
  constructor(t, { onShare }) {
    this.#t = t;
    byId("share").addEventListener("click", async () => this.#show(await onShare()));
    byId("link").addEventListener("focus", (event) => event.target.select());
    byId("show-code").addEventListener("click", async () => {
      await drawCode(byId("code-picture"), this.#link);
      byId("code").showModal();
    });
  }

  render({ phase, room, link, contact }) {
    setText(byId("codeword"), contact === null ? (room ?? "") : "");
    document.body.classList.toggle("with-contact", contact !== null);
    if (link !== this.#link) {
      this.#link = link;
      byId("link").value = link ?? "";
      this.#show("");
    }
    if (phase !== "waiting" && byId("code").open) {
      byId("code").close(); // who has scanned it is here
    }
  }

  #show(result) {
    setText(byId("share-result"), result === "" ? "" : this.#t(`shared_${result}`));
    if (result === "manual") {
      byId("link").focus();
    }
  }
}
