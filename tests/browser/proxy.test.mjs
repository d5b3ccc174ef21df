// A call between two real pages as an operator's callers make it: https:// and wss:// through nginx, with the
// configuration that we ship. What else the proxies must do is tested in tests/deploy.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { proxies } from "../deploy/proxies.mjs";
import { Stack } from "../deploy/stack.mjs";
import { Browser, bothSeeFrames, hangUp, linkOf, phase, press, says } from "./pages.mjs";

const nginx = proxies.find(({ name }) => name === "nginx");

let stack;
let browser;
let host;

before(async () => {
  stack = await Stack.start(nginx);
  host = `localhost:${stack.ports.https}`;
  browser = await Browser.start(`https://${host}/`);
});

after(async () => {
  await browser?.stop();
  await stack?.stop();
});

/** A page that takes any certificate, as the stack signs its own. `sockets` gathers the addresses of the WebSockets that
 * it opens, `servers` the status and address of each answer to /ice. */
async function openPage(url) {
  const page = await browser.open(url, { ignoreHTTPSErrors: true });
  const sockets = [];
  const servers = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  page.on("response", (response) => {
    if (new URL(response.url()).pathname === "/ice") {
      servers.push(`${response.status()} ${response.url()}`);
    }
  });
  return { page, sockets, servers };
}

test("two pages call each other through nginx, all of it encrypted", async () => {
  const anna = await openPage(`https://${host}/`);
  await press(anna.page, "Anna");
  const link = await linkOf(anna.page);
  const boris = await openPage(link);
  await press(boris.page, "Boris");
  await bothSeeFrames(anna.page, boris.page);

  for (const { sockets, servers } of [anna, boris]) {
    assert.deepEqual(sockets, [`wss://${host}/signal`]);
    assert.deepEqual(servers, [`200 https://${host}/ice`]);
  }

  await hangUp(boris.page);
  await phase(boris.page, "ended");
  await says(anna.page, "Boris has hung up");
  await browser.closePages(); // they have kept to the policy that nginx sends

  const log = await stack.logs();
  assert.match(log, /GET \/ice /);
  assert.ok(!log.includes(new URL(link).hash.slice("#room=".length)), "no log holds the codeword");
});
