// The page without a network: what its service worker keeps, when it answers, and what the page says then.

import assert from "node:assert/strict";
import { once } from "node:events";
import { appendFile, cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";

import { DRAWING, ICON, SIZE, draw } from "./draw_icon.mjs";
import { pageFiles, strayFiles } from "./page_files.mjs";
import { Browser, phase } from "./pages.mjs";
import { PAGE, Stack } from "./stack.mjs";

let directory; // of a copy of the page, which a test may change
let stack;
let browser;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "homecall-offline-"));
  await cp(PAGE, directory, { recursive: true });
});

async function start() {
  stack = await Stack.start({ page: directory });
  browser = await Browser.start(stack.url);
}

afterEach(async () => {
  await browser?.closePages();
  await browser?.stop();
  await stack?.stop();
  stack = browser = undefined;
});

after(() => rm(directory, { recursive: true, force: true }));

/** A page whose files are kept. */
async function openKept() {
  const page = await browser.open(stack.url);
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
  return page;
}

const keptFiles = (page) =>
  page.evaluate(async () => {
    const [name] = await caches.keys();
    const requests = await (await caches.open(name)).keys();
    return requests.map(({ url }) => url.slice(location.origin.length + 1)).sort();
  });

/** A host in nginx's place that does with each request what `handle` says. */
async function standIn(handle, use) {
  await stack.stopNginx();
  const asked = [];
  const host = createServer((request, response) => {
    asked.push(request.url);
    handle(request, response);
  });
  await once(host.listen(Number(new URL(stack.url).port), "127.0.0.1"), "listening");
  try {
    await use(asked);
  } finally {
    host.closeAllConnections();
    host.close();
  }
}

test("what is kept is what the page is made of, and no file lies there for nothing", async () => {
  const source = await readFile(join(PAGE, "sw.js"), "utf8");
  const [, list] = source.match(/^const SHELL = \[\n(.*?)^\]/ms);
  const kept = [...list.matchAll(/"(.*)",/g)].map(([, path]) => path);
  const isForSystem = (name) => name === "apple-touch-icon.png"; // it is taken when the page is put on a home screen
  const files = (await pageFiles(PAGE)).filter((name) => !isForSystem(name));
  assert.deepEqual(kept, ["./", ...files.slice(1).sort()]);
  const forSystem = ["apple-touch-icon.png", "icon-maskable.svg", "sw.js"];
  assert.deepEqual((await strayFiles(PAGE)).filter((name) => !forSystem.includes(name)), []);
});

test("a page that was loaded once is there when the server and its host are gone", async () => {
  await start();
  const page = await openKept();
  const files = await keptFiles(page);
  await stack.killServer();
  await stack.stopNginx();
  await page.reload();
  await phase(page, "idle");
  assert.ok(await page.locator("#call").isVisible());
  assert.deepEqual(await keptFiles(page), files);
  const another = await page.context().newPage();
  await another.goto(`${stack.url}index.html?from=home#room=nabu-tiko`); // an address that was never opened
  await phase(another, "idle");
});

test("without a network the page says so, and no more when it is back", async () => {
  await start();
  const page = await openKept();
  await page.context().setOffline(true);
  await page.reload();
  await phase(page, "idle");
  await page.getByRole("status").filter({ hasText: "no network" }).first().waitFor();
  await page.context().setOffline(false);
  await page.getByRole("status").filter({ hasText: "no network" }).first().waitFor({ state: "detached" });
});

test("a host that never answers is waited for once, not once for each file", async () => {
  await start();
  const page = await openKept();
  await standIn(() => {}, async (asked) => {
    const began = performance.now();
    await page.reload({ waitUntil: "commit" });
    await phase(page, "idle");
    const took = performance.now() - began;
    assert.ok(asked.length > 1, "it is asked first");
    assert.ok(took > 3900 && took < 7500, `it took ${Math.round(took)} ms`);
  });
});

test("a proxy that has no host to ask is no page", async () => {
  await start();
  const page = await openKept();
  await standIn((request, response) => response.writeHead(502).end("Bad Gateway"), async () => {
    await page.reload();
    await phase(page, "idle");
  });
});

test("whoever has a network has the newest page, and keeps that", async () => {
  await start();
  const page = await openKept();
  await appendFile(join(directory, "js/app.js"), '\ndocument.body.dataset.version = "2";\n');
  const newest = page.locator('body[data-version="2"]');
  await page.reload();
  await newest.waitFor({ state: "attached" });
  await page.waitForFunction(async () => {
    const kept = await caches.match("js/app.js");
    return (await kept.text()).includes("dataset.version");
  });
  await stack.stopNginx();
  await page.reload();
  await newest.waitFor({ state: "attached" });
});

test("signals, servers and what is no GET go their way", async () => {
  await start();
  const page = await openKept();
  const files = await keptFiles(page);
  const ask = () =>
    page.evaluate(async () => {
      const isAnswered = (url, options) => fetch(url, options).then(() => true, () => false);
      return {
        style: await isAnswered("style/base.css"),
        ice: await isAnswered("ice"),
        signal: await isAnswered("signal"),
        post: await isAnswered("style/base.css", { method: "POST" }),
        search: await isAnswered("style/base.css?x"),
        worker: await isAnswered("sw.js"),
        unknown: await isAnswered("nowhere"),
      };
    });
  assert.deepEqual(Object.values(await ask()).filter((isAnswered) => !isAnswered), []);
  assert.deepEqual(await keptFiles(page), files);
  await stack.stopNginx();
  const { style, ...others } = await ask();
  assert.equal(style, true);
  assert.deepEqual(Object.values(others).filter(Boolean), []);
});

test("caches of earlier versions are removed, those of others are not", async () => {
  await start();
  const page = await browser.open(new URL("icon.svg", stack.url).href, { isOurs: false });
  await page.evaluate(async () => {
    await (await caches.open("homecall-shell-0")).put("old.js", new Response(""));
    await (await caches.open("homecall-shell-1")).put("js/old.js", new Response(""));
    await caches.open("of somebody else");
  });
  await page.goto(stack.url);
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
  assert.deepEqual(await page.evaluate(() => caches.keys()), ["homecall-shell-1", "of somebody else"]);
  assert.ok(!(await keptFiles(page)).includes("js/old.js"));
});

test("a browser that has no service workers, or refuses one, has the page all the same", async () => {
  await start();
  const none = await browser.open(stack.url, {
    init: () => delete Navigator.prototype.serviceWorker,
  });
  assert.equal(await none.evaluate(() => "serviceWorker" in navigator), false);
  const refused = await browser.open(stack.url, {
    init: () => (ServiceWorkerContainer.prototype.register = () => Promise.reject(new Error("refused"))),
  });
  await phase(refused, "idle");
}); // an uncaught rejection is a fault of its page

test("the icon for iOS is the drawing", async (t) => {
  const bytes = await readFile(ICON.file);
  assert.ok(bytes.length < 4096, `${bytes.length} bytes`);
  const [expected, drawn] = [await draw(DRAWING), await draw(ICON)];
  assert.equal(drawn.width, SIZE);
  const differences = expected.pixels.map((value, i) => Math.abs(value - drawn.pixels[i]));
  const largest = differences.reduce((a, b) => Math.max(a, b));
  t.diagnostic(`${bytes.length} bytes, no value differs by more than ${largest} of 255`);
  assert.ok(largest <= 24, `${largest}`);
});
