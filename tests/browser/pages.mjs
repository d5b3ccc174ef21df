// Pages of a headless Chromium: what tests do with them, and what they see there. CHROMIUM names another browser.

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { chromium } from "playwright-core";

export const PATIENCE_MS = 20000;
const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-quic",
  "--disable-background-networking",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--disable-features=WebRtcHideLocalIpsWithMdns", // nobody answers mDNS here
];

/** What runs in each page before its own scripts: keep hold of its connections, to read their statistics. */
function keepConnections() {
  window.connections = [];
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(...settings) {
      super(...settings);
      window.connections.push(this);
    }
  };
}

/** One whose pages are all of one site. */
export class Browser {
  #hosts;
  #chromium;
  #contexts = [];
  #faults = []; // what no page may do: uncaught errors, breaches of its policy, requests to other hosts

  /** `url` is that of the site; `hosts` are others that its pages may ask, `flags` more of Chromium's, and `program` is another
   * one in its place. */
  static async start(url, { hosts = [], flags = [], program } = {}) {
    const browser = new Browser();
    browser.#hosts = [new URL(url).host, ...hosts];
    const executablePath = program ?? process.env.CHROMIUM ?? "/usr/bin/chromium";
    browser.#chromium = await chromium.launch({ executablePath, args: [...FLAGS, ...flags] });
    return browser;
  }

  /** A page in a browser profile of its own. `init` runs in it before its own scripts, with `value`; `hasClock`
   * gives it timers that the test can put forward. Waits until it can be used, where it `isOurs`. */
  async open(url, { init = () => {}, value = null, hasClock = false, isOurs = true, ...options } = {}) {
    const usual = { locale: "en-US", viewport: { width: 900, height: 700 } };
    const context = await this.#chromium.newContext({ ...usual, ...options });
    this.#contexts.push(context);
    context.on("page", (page) => this.#watch(page));
    await context.addInitScript(keepConnections);
    const page = await context.newPage(); // still empty, and in no state for `init`
    await context.addInitScript(`(${init})(${JSON.stringify(value)})`);
    if (hasClock) {
      await page.clock.install();
    }
    await page.goto(url);
    if (isOurs) {
      await phase(page, "idle");
    }
    return page;
  }

  #watch(page) {
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => this.#faults.push(`uncaught: ${error.stack}`));
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) {
        this.#faults.push(message.text());
      }
    });
    page.on("request", (request) => {
      const { protocol, host } = new URL(request.url());
      if (protocol.startsWith("http") && !this.#hosts.includes(host)) {
        this.#faults.push(`request to ${host}`);
      }
    });
  }

  /** What no page may do, and one has done since the last question. */
  faults() {
    return this.#faults.splice(0);
  }

  /** At the end of a test: rejects if a page did what none may do. */
  async closePages() {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
    assert.deepEqual(this.faults(), []);
  }

  async stop() {
    await this.#chromium.close();
  }
}

export const phase = (page, name) => page.locator(`body[data-phase="${name}"]`).waitFor();
export const says = (page, text) => page.getByRole("status").filter({ hasText: text }).first().waitFor();
export const hangUp = (page) => page.locator("#hang-up").click();

export async function press(page, name) {
  if (name !== undefined) {
    await page.locator("#name").fill(name);
  }
  await page.locator("#call").click();
}

export async function linkOf(page) {
  await phase(page, "waiting");
  return page.locator("#link").inputValue();
}

/** Wait until the page decodes frames of the other side, more than it has decoded when asked. */
export async function seesFrames(page) {
  await phase(page, "incall");
  await page.locator("body:not(.trouble)").waitFor();
  await decodesFrames(page);
}

/** The same of a page that shows no phases. */
export async function decodesFrames(page) {
  const decoded = async (more) => {
    const connection = window.connections.at(-1);
    if (connection === undefined) {
      return false;
    }
    const reports = [...(await connection.getStats()).values()];
    const video = reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
    const frames = video?.framesDecoded ?? 0;
    window.framesBefore ??= new Map();
    if (!window.framesBefore.has(more)) {
      window.framesBefore.set(more, { connection, frames });
    }
    const before = window.framesBefore.get(more);
    return frames > (before.connection === connection ? before.frames : 0) + 5;
  };
  // Not by waitForFunction(), which takes the promise for the answer.
  const name = Math.random();
  const end = performance.now() + PATIENCE_MS;
  while (!(await page.evaluate(decoded, name))) {
    assert.ok(performance.now() < end, "no frames of the other side");
    await delay(50);
  }
}

export const bothSeeFrames = (...pages) => Promise.all(pages.map(seesFrames));
