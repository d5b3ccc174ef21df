// Another page in the place of ours, as an operator has it served by the compose file: PWA_DIR is its directory, and
// CONTENT_SECURITY_POLICY the line that the README has for such a page.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { composeWeb } from "../deploy/proxies.mjs";
import { Stack, makeCertificate } from "../deploy/stack.mjs";
import { Browser, PATIENCE_MS } from "./pages.mjs";

const README = fileURLToPath(new URL("../../deploy/README.md", import.meta.url));
const SOURCE = fileURLToPath(new URL("pwa", import.meta.url));

let directory; // the page, with its addresses filled in
let hosts; // what it asks: { cdn, log }, servers of other origins
let stun;
let policy; // the README's, for those hosts

/** A host of its own, that answers everybody with a module. */
async function startHost(certificate) {
  const asked = [];
  const server = createServer(certificate, (request, response) => {
    asked.push(request.url);
    response.writeHead(200, { "Content-Type": "text/javascript", "Access-Control-Allow-Origin": "*" });
    response.end('export const greet = () => "greets";');
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { server, asked, origin: `https://localhost:${server.address().port}` };
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "homecall-pwa-"));
  const page = join(directory, "page");
  await cp(SOURCE, page, { recursive: true });
  const certificate = await makeCertificate(directory);
  hosts = { cdn: await startHost(certificate), log: await startHost(certificate) };
  stun = createSocket("udp4");
  await once(stun.bind(0, "127.0.0.1"), "listening");

  const values = { CDN: hosts.cdn.origin, LOG: hosts.log.origin, STUN: `stun:127.0.0.1:${stun.address().port}` };
  const app = join(page, "app.js");
  await writeFile(app, (await readFile(app, "utf8")).replace(/@([A-Z]+)@/g, (_, name) => values[name]));
  const [, line] = (await readFile(README, "utf8")).match(/^ {4}CONTENT_SECURITY_POLICY="(.*)"$/m);
  policy = line
    .replaceAll("https://cdn.jsdelivr.net", hosts.cdn.origin)
    .replaceAll("https://log.example.org", hosts.log.origin);
});

after(async () => {
  stun?.close();
  Object.values(hosts ?? {}).forEach(({ server }) => server.close());
  await rm(directory, { recursive: true, force: true });
});

/** Open the page, and tell what it could do when `isDone` says that it has tried: its body's data, its breaches of the policy,
 * and the log of the web server. */
async function visit(environment, isDone) {
  const stack = await Stack.start(composeWeb, { page: join(directory, "page"), environment });
  const browser = await Browser.start(`https://localhost:${stack.ports.https}/`, {
    flags: ["--ignore-certificate-errors"], // a service worker takes no exception that is made for a page
    hosts: Object.values(hosts).map(({ origin }) => new URL(origin).host),
  });
  try {
    const page = await browser.open(`https://localhost:${stack.ports.https}/`, { isOurs: false });
    await page.waitForFunction(isDone, null, { timeout: PATIENCE_MS });
    const done = await page.evaluate(() => ({ ...document.body.dataset }));
    await browser.stop(); // the end of a WebSocket is what is logged of it
    await stack.stopServer();
    return { done, faults: browser.faults(), log: await stack.logs() };
  } finally {
    await browser.stop();
    await stack.stop();
  }
}

test("by itself, the policy is that of our page, and another page is kept from what ours does not do", async () => {
  const { done, faults } = await visit({}, () => document.readyState === "complete");
  assert.deepEqual(done, {});
  assert.match(faults.join("\n"), /Content Security Policy/);
  assert.deepEqual(hosts.cdn.asked, []);
});

test("with the policy of the README, a page with a CDN, a log host, a service worker and a STUN server works", async () => {
  const asked = once(stun, "message");
  const { done, faults, log } = await visit(
    { CONTENT_SECURITY_POLICY: policy },
    () => Object.keys(document.body.dataset).length === 8,
  );
  assert.deepEqual(done, {
    inline: "has run",
    cdn: "greets",
    part: "is run",
    text: "is code",
    worker: "is registered",
    log: "is told",
    socket: "is open",
    stun: "is asked",
  });
  assert.deepEqual(faults, []);
  await asked;
  assert.deepEqual(hosts.cdn.asked, ["/greet.mjs"]);
  assert.deepEqual(hosts.log.asked, ["/log"]);
  assert.match(log, /"uri":"\/signal"/);
  assert.ok(!log.includes("hush"), "the session's id is in no log");
});
