// The page without the network: its files are kept, and shown when neither the network nor the host answers.
//
// Network first: who has a network has the newest page, and what comes is kept anew. The cache answers when the request
// fails, when the server in between has no host to ask, or when nothing has come for PATIENCE_MS. Whatever is not in SHELL
// is none of our business and goes its way: the signals, /ice, other hosts, and all that is no GET.

const PREFIX = "homecall-shell-";
const CACHE = `${PREFIX}1`; // another number where what is kept changes its form
const PATIENCE_MS = 4000;
const GONE_MS = 10000; // then the next question waits no more: modules are asked for one after another

// What the page is made of; tests/browser/offline.test.mjs holds this list to it.
const SHELL = [
  "./",
  "client/line.js",
  "client/negotiate.js",
  "client/signal.js",
  "config.json",
  "icon.svg",
  "js/app.js",
  "js/call.js",
  "js/codeword.js",
  "js/connection.js",
  "js/contacts.js",
  "js/ice.js",
  "js/identity.js",
  "js/media.js",
  "js/offline.js",
  "js/quality.js",
  "js/random.js",
  "js/screen.js",
  "js/share.js",
  "js/store.js",
  "js/text.js",
  "js/text_en.js",
  "js/text_ru.js",
  "js/view/call.js",
  "js/view/contact_dialog.js",
  "js/view/controls.js",
  "js/view/dom.js",
  "js/view/invitation.js",
  "js/view/page.js",
  "js/view/stage.js",
  "js/view/start.js",
  "manifest.webmanifest",
  "style/base.css",
  "style/call.css",
  "style/start.css",
  "vendor/lean-qr.mjs",
].map((path) => new URL(path, registration.scope).href);

let goneUntil = 0;

/** The file of the shell that a request is for, or null. */
function fileOf({ method, mode, url }) {
  if (method !== "GET") {
    return null;
  }
  const { origin, pathname, search } = new URL(url);
  const isOpening = mode === "navigate"; // whatever the address says behind the path
  const file = origin + pathname.replace(/\/index\.html$/, "/") + (isOpening ? "" : search);
  return SHELL.includes(file) ? file : null;
}

async function keepAll() {
  const cache = await caches.open(CACHE);
  await cache.addAll(SHELL.map((file) => new Request(file, { cache: "no-cache" })));
}

/** Remove the caches of earlier versions, and files that the page is not made of any more. */
async function tidy() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)));
  const cache = await caches.open(CACHE);
  const requests = await cache.keys();
  await Promise.all(requests.filter(({ url }) => !SHELL.includes(url)).map((request) => cache.delete(request)));
}

/** From the network, and into the cache. Rejects when the host is gone. */
async function fetchFile(request, file) {
  const response = await fetch(request);
  if (response.status >= 500) {
    throw new Error(`${file}: ${response.status}`);
  }
  if (response.ok) {
    const copy = response.clone();
    const cache = await caches.open(CACHE);
    cache.put(file, copy).catch((error) => console.warn("not kept:", error.message)); // no room for it: the page is there
  }
  goneUntil = 0;
  return response;
}

async function answer(event, file) {
  const fetched = fetchFile(event.request, file);
  event.waitUntil(fetched.catch(() => {}));
  const kept = await caches.match(file, { cacheName: CACHE });
  if (kept === undefined) {
    return fetched;
  }
  const late = new Promise((resolve) => setTimeout(resolve, Date.now() < goneUntil ? 0 : PATIENCE_MS, null));
  const response = await Promise.race([fetched.catch(() => null), late]);
  if (response === null) {
    goneUntil = Date.now() + GONE_MS;
  }
  return response ?? kept;
}

addEventListener("install", (event) => {
  skipWaiting(); // it answers as the one before would
  event.waitUntil(keepAll());
});

addEventListener("activate", (event) => event.waitUntil(tidy().then(() => clients.claim())));

addEventListener("fetch", (event) => {
  const file = fileOf(event.request);
  if (file !== null) {
    event.respondWith(answer(event, file));
  }
});
