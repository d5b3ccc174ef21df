// The states of the page, each reached as a person reaches it, and shown to `show(name, page)` while it lasts.
//
// One walk through all of them in one language. What would end a state by itself while it is looked at, or is another
// program's to decide (the browser's question, a connection that is never made), `init` holds.

import { bothSeeFrames, hangUp, linkOf, phase, press, seesFrames } from "../pages.mjs";

const LASTING_MS = 15000; // what waits for so long waits for a person, a peer or a network

/** In a page before its own scripts. `value`: { storage, isDeaf: it never makes a connection }. */
function init({ storage, isDeaf }) {
  Object.entries(storage).forEach(([key, content]) => localStorage.setItem(key, JSON.stringify(content)));
  const set = window.setTimeout;
  window.setTimeout = (act, ms, ...rest) => set(act, ms >= LASTING ? 2 ** 31 - 1 : ms, ...rest);
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const error = window.isHeld ? await new Promise((resolve) => (window.answer = resolve)) : null;
    if (error !== null) {
      throw new DOMException("no", error);
    }
    return ask(wish);
  };
  if (isDeaf) {
    window.RTCPeerConnection.prototype.setRemoteDescription = () => new Promise(() => {});
  }
}

const NAMES = {
  en: { anna: "Anna", boris: "Boris", others: ["Grandmother", "Maximilian Featherstonehaugh", "Eve"] },
  ru: { anna: "Анна", boris: "Борис", others: ["Бабушка", "Константин Константинопольский", "Ева"] },
};

export class Walk {
  #browser;
  #stack;
  #options;
  #show;
  names;

  constructor({ browser, stack, language, show }) {
    this.#browser = browser;
    this.#stack = stack;
    this.#options = { locale: language === "ru" ? "ru-RU" : "en-US", reducedMotion: "reduce" };
    this.#show = show;
    this.names = NAMES[language];
  }

  /** A page; `storage` is what its device has kept. */
  #open(url, { storage = {}, isDeaf = false } = {}) {
    const value = { storage, isDeaf };
    return this.#browser.open(url, { ...this.#options, init: String(init).replace("LASTING", LASTING_MS), value });
  }

  async all() {
    const anna = await this.#open(this.#stack.url);
    await this.#start(anna);
    await this.#question(anna);
    const boris = await this.#invitation(anna);
    await this.#call(anna, boris);
    await this.#end(anna, boris);
    await this.#contacts();
  }

  async #start(page) {
    await this.#show("idle", page);
    await press(page, "");
    await page.locator("#name-fault:not(:empty)").waitFor();
    await this.#show("idle-without-name", page);
    await page.locator("#name").fill(this.names.anna);
    await page.locator("#enter summary").click();
    await page.locator("#enter-form button").click();
    await page.locator("#typed-fault:not(:empty)").waitFor();
    await this.#show("idle-codeword", page);
    await page.locator("#enter summary").click();
    await page.locator("#look").click();
    await page.waitForFunction(() => document.getElementById("local").videoWidth > 0);
    await this.#show("idle-looking", page);
    await page.locator("#look").click();
    await page.context().setOffline(true);
    await page.waitForFunction(() => !navigator.onLine);
    await this.#show("idle-offline", page);
    await page.context().setOffline(false);
  }

  async #question(page) {
    await page.evaluate(() => (window.isHeld = true));
    await press(page);
    await phase(page, "asking");
    await this.#show("asking", page);
    await page.evaluate(() => window.answer("NotAllowedError"));
    await phase(page, "refused");
    await this.#show("refused", page);
    await page.evaluate(() => (window.isHeld = false));
  }

  async #invitation(anna) {
    let release;
    await anna.route("**/ice", (route) => new Promise((resolve) => (release = () => resolve(route.continue()))));
    await press(anna);
    await phase(anna, "connecting");
    await anna.waitForFunction(() => document.getElementById("local").srcObject !== null);
    await this.#show("connecting", anna);
    await release?.();
    const link = await linkOf(anna);
    await this.#show("waiting", anna);
    await anna.locator("#show-code").click();
    await anna.locator("#code").waitFor();
    await this.#showDialog("dialog-code", anna);
    const boris = await this.#open(link);
    await this.#show("invited", boris);
    await press(boris, this.names.boris);
    await bothSeeFrames(anna, boris);
    return boris;
  }

  /** An open dialog, which a key must close. */
  async #showDialog(name, page) {
    await this.#show(name, page);
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
  }

  async #call(anna, boris) {
    await this.#show("in-call", anna);
    await boris.locator("#microphone").click();
    await anna.locator("#peer-muted").waitFor();
    await this.#show("in-call-peer-muted", anna);
    await boris.locator("#camera").click();
    await anna.locator("#avatar").waitFor();
    await this.#show("in-call-avatar", anna);
    await this.#show("in-call-devices-off", boris);
    await anna.locator("#show-devices").click();
    await anna.locator("#devices").waitFor();
    await this.#showDialog("dialog-devices", anna);
    await boris.locator("#camera").click();
    await anna.locator("#avatar").waitFor({ state: "hidden" });

    const third = await this.#open(anna.url());
    await press(third, this.names.others[0]);
    await phase(third, "full");
    await this.#show("full", third);
    await third.close();

    await this.#stack.killServer();
    await anna.locator("body.trouble").waitFor();
    await this.#show("server-lost", anna);
    await this.#stack.startServer();
    await Promise.all([anna, boris].map(seesFrames));
  }

  async #end(anna, boris) {
    await hangUp(boris);
    await phase(anna, "ended");
    await this.#show("ended", anna);
    await press(boris);
    await phase(anna, "incoming");
    await this.#show("incoming", anna);
    await press(anna);
    await bothSeeFrames(anna, boris);
    await boris.context().close();
    await anna.locator("body.interrupted").waitFor();
    await this.#show("interrupted", anna);
    await anna.close();
  }

  async #contacts() {
    const { anna, others } = this.names;
    const contacts = others.map((name, i) => ({ id: `${i}`, name, room: `room-${i}`, device: null, isRenamed: false }));
    const storage = { "homecall.name": anna, "homecall.contacts": contacts };
    const page = await this.#open(this.#stack.url, { storage });
    await this.#show("idle-contacts", page);
    await page.locator(".more").nth(1).click();
    await page.locator("#contact").waitFor();
    await this.#showDialog("dialog-contact", page);
    await page.locator(".contact").nth(1).click();
    await phase(page, "waiting");
    await this.#show("waiting-contact", page);
    const deaf = await this.#open(page.url(), { isDeaf: true });
    await press(deaf, others[1]);
    await phase(page, "answering");
    await this.#show("answering", page);
    const brought = await this.#open(`${this.#stack.url}#room=abc&contact=${encodeURIComponent(others[1])}`);
    await brought.locator("#contact").waitFor();
    await this.#showDialog("dialog-contact-new", brought);
  }
}
