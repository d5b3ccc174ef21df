// What a test of losses does to a page's network, and what is seen of a call meanwhile. Times are those of Date.now(), which
// pages and tests have in common.

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { PATIENCE_MS } from "./pages.mjs";

const POLL_MS = 20;

/** Runs in each page before its own scripts: note when frames of the other side are decoded. */
export function watchFrames() {
  window.pictures = []; // when there were new ones
  let last = { connection: null, frames: 0 };
  setInterval(async () => {
    const connection = window.connections.at(-1);
    const reports = connection === undefined ? [] : [...(await connection.getStats()).values()];
    const frames = reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "video")?.framesDecoded ?? 0;
    if (frames > (last.connection === connection ? last.frames : 0)) {
      window.pictures.push(Date.now());
    }
    last = { connection, frames };
  }, 20);
}

async function until(what, ask) {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer) {
      return answer;
    }
    assert.ok(performance.now() < end, `no ${what}`);
    await delay(POLL_MS);
  }
}

/** When the page has decoded a frame of the other side for the first time after `since`. */
export function pictureAfter(page, since) {
  return until("picture", () => page.evaluate((start) => window.pictures.find((at) => at > start), since));
}

/** The longest time in ms after `since` in which one of the pages has decoded nothing. */
export async function longestGapMs(pages, since) {
  const gaps = pages.map((page) =>
    page.evaluate((start) => {
      const times = [start, ...window.pictures.filter((at) => at > start), Date.now()];
      return Math.max(...times.slice(1).map((at, i) => at - times[i]));
    }, since),
  );
  return Math.max(...(await Promise.all(gaps)));
}

/** The network of a page, as Chromium emulates it: without it no connection can be made, and no packet of a call comes
 * or goes. What is connected already is the proxy's to harm. */
export class Network {
  #session;

  /** Before the page has any connection: those of before would not take part. */
  static async of(page) {
    const network = new Network();
    network.#session = await page.context().newCDPSession(page);
    await network.#session.send("Network.enable");
    await network.#set({ isOffline: false, loss: 0 });
    return network;
  }

  #set({ isOffline, loss }) {
    return this.#session.send("Network.emulateNetworkConditions", {
      offline: isOffline,
      latency: 1,
      downloadThroughput: 1e9,
      uploadThroughput: 1e9,
      packetLoss: Math.max(loss, 0.001), // with 0 nothing is emulated, and nothing can be later
      packetQueueLength: 1000,
    });
  }

  /** The page is told. */
  goOffline() {
    return this.#set({ isOffline: true, loss: 100 });
  }

  /** Nobody is told. */
  losePackets() {
    return this.#set({ isOffline: false, loss: 100 });
  }

  comeBack() {
    return this.#set({ isOffline: false, loss: 0 });
  }
}
