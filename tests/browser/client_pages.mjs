// The example of deploy/client/README.md as a page, and what its client hears.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const CLIENT = new URL("../../deploy/client/", import.meta.url);

/** The files of the page at `url()`, for SessionStack. */
export function readExample(url) {
  return async (path) => {
    if (path.startsWith("/client/")) {
      return readFile(fileURLToPath(new URL(basename(path), CLIENT)));
    }
    const [, example] = (await readFile(new URL("README.md", CLIENT), "utf8")).match(/```html\n(.*?)```/s);
    const page = example
      .replace("wss://call.example.org/signal", `ws://${new URL(url()).host}/signal`)
      .replace("</script>", "window.client = client; window.media = media; window.call = () => call;</script>");
    assert.match(page, /window.client/);
    return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${page}`;
  };
}

/** When both pages have got a signal of the other. That is asked for by sending one, so what the client would not notice
 * by itself it notices then. */
export async function bothHear(pages) {
  const word = Math.random();
  const listen = (data) => {
    window.heard = new Promise((resolve) => {
      window.client.on("signal", ({ signal }) => signal.data === data && resolve(Date.now()));
    });
  };
  const say = async (data) => {
    const { client } = window;
    for (let isTaken = false; !isTaken; ) {
      while (client.state !== "joined" || client.peers.size === 0) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      isTaken = await client.send({ type: "signal", data }).then(
        () => true,
        () => false, // with its session
      );
    }
    return window.heard;
  };
  await Promise.all(pages.map((page) => page.evaluate(listen, word)));
  return Math.max(...(await Promise.all(pages.map((page) => page.evaluate(say, word)))));
}

/** Note the next event of a type; the answer waits for it. */
export async function expectEvent(page, type) {
  await page.evaluate((name) => {
    window.noted ??= {};
    window.noted[name] = new Promise((resolve) => {
      const off = window.client.on(name, () => resolve(off()));
    });
  }, type);
  return () => page.evaluate((name) => window.noted[name], type);
}
