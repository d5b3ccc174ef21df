// What can be done with a contact: a new name, a link for another device, an end. The same dialog takes in a contact that
// such a link has brought.

import { byId, setText } from "./dom.js";

export class ContactDialog {
  #t;
  #handlers;
  #contact = null;
  #isNew = false;
  #isSure = false; // the second press removes
  #offered = null;

  /** Handlers: onContactSaved(contact, name, isNew), onContactExported(contact), which promises a result as share.js has
   * it, onContactRemoved(contact), onContactDeclined(). */
  constructor(t, handlers) {
    this.#t = t;
    this.#handlers = handlers;
    byId("contact-form").addEventListener("submit", (event) => this.#onSubmit(event));
    byId("contact-export").addEventListener("click", () => this.#onExport());
    byId("contact-remove").addEventListener("click", () => this.#onRemove());
    byId("contact").addEventListener("close", () => this.#isNew && this.#handlers.onContactDeclined());
  }

  /** A contact that a link has brought is shown by itself. */
  render(offered) {
    if (offered !== this.#offered) {
      this.#offered = offered;
      if (offered !== null) {
        this.open(offered, true);
      }
    }
  }

  open(contact, isNew = false) {
    this.#contact = contact;
    this.#isNew = isNew;
    setText(byId("contact-title"), this.#t(isNew ? "contact_new" : "contact_title"));
    setText(byId("contact-result"), "");
    byId("contact-name").value = contact.name;
    byId("contact-export").hidden = byId("contact-remove").hidden = isNew;
    this.#ask(false);
    byId("contact").showModal();
  }

  #ask(isSure) {
    this.#isSure = isSure;
    setText(byId("contact-remove"), this.#t(isSure ? "contact_remove_sure" : "contact_remove"));
  }

  #onSubmit(event) {
    const name = byId("contact-name").value.trim();
    const isSaving = event.submitter?.value !== "close";
    if (isSaving && name === "") {
      event.preventDefault();
      byId("contact-name").focus();
    } else if (isSaving) {
      const isNew = this.#isNew;
      this.#isNew = false;
      this.#handlers.onContactSaved(this.#contact, name, isNew);
    }
  }

  async #onExport() {
    const result = await this.#handlers.onContactExported(this.#contact);
    setText(byId("contact-result"), this.#t(`exported_${result}`));
  }

  #onRemove() {
    if (this.#isSure) {
      this.#handlers.onContactRemoved(this.#contact);
      byId("contact").close();
    } else {
      this.#ask(true);
    }
  }
}
