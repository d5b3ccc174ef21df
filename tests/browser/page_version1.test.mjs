// Calls between the page and a page of version 1 in the same room.

import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Browser, decodesFrames, hangUp, phase, press, says, seesFrames } from "./pages.mjs";
import { SessionStack } from "./session_stack.mjs";
import { PAGE } from "./stack.mjs";

const OLD = fileURLToPath(new URL("version1_page/", import.meta.url));

let stack;
let browser;

before(async () => {
  const fileOf = (path) => (path.startsWith("/version1_page/") ? join(OLD, path.slice(15)) : join(PAGE, path));
  stack = await SessionStack.start((path) => readFile(fileOf(path.endsWith("/") ? `${path}index.html` : path)));
  browser = await Browser.start(stack.url);
});

afterEach(() => browser.closePages());

after(async () => {
  await browser?.stop();
  await stack?.stop();
});

async function openOurs(room) {
  const page = await browser.open(`${stack.url}#room=${room}`);
  await press(page, "Anna");
  return page;
}

const openOld = (room, query) =>
  browser.open(`${stack.url}version1_page/${query}#${room}`, { isOurs: false });

for (const query of ["", "?yields"]) {
  test(`a page of version 1 ${query} comes, and sees our reload`, async () => {
    const room = randomUUID();
    const ours = await openOurs(room);
    await phase(ours, "waiting");
    const old = await openOld(room, query);
    await Promise.all([seesFrames(ours), decodesFrames(old)]);
    await says(ours, "version 1");
    await ours.reload();
    await Promise.all([seesFrames(ours), decodesFrames(old)]);
    await hangUp(ours);
    await phase(ours, "ended");
  });

  test(`a page of version 1 ${query} is there first`, async () => {
    const room = randomUUID();
    const old = await openOld(room, query);
    await old.waitForFunction(() => window.connections.length > 0); // it has offered to nobody
    const ours = await openOurs(room);
    await Promise.all([seesFrames(ours), decodesFrames(old)]);
  });
}
