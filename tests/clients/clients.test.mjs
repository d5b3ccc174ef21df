// A call by each client library: two users of it meet in a room and exchange what callers exchange.
//
// libraries.mjs lists the libraries, and user.mjs tells how a test speaks with a user of one. A library that is not
// installed is skipped, by its name.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { libraries, run, whyMissing } from "./libraries.mjs";
import { ORIGIN, SILENCE_MS, Stack } from "./stack.mjs";
import { User } from "./user.mjs";

const BUILD = fileURLToPath(new URL("../../build/clients", import.meta.url));
const ROOM = "синяя лиса 🦊";
/** JSON texts that must arrive as they are, to the byte: escapes, blanks, numbers that no parser would print so. */
const OFFER = String.raw`"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=дом 🦊 \u0434\ud83e\udd8a \/ \u0000\r\n"`;
const ANSWER = '{ "type" :"answer",\n\t"sdp":"v=0\\r\\n" , "extra":[1.0, 1E+2 ,-0,12345678901234567890,{"":null}] }';
const CANDIDATES = ['{"candidate":"candidate:1 1 udp 2122260223 192.0.2.1 5000 typ host","sdpMLineIndex":0}', '""', "null"];
/** Longer than a frame can be whose length has 16 bits. */
const LARGE = JSON.stringify(`v=0\r\n${"a=дом:🦊\r\n".repeat(5000)}`);

const missing = await Promise.all(libraries.map(whyMissing));

const builds = new Map();

/** Build what the library's users need, once. */
function build(library) {
  if (library.build && !builds.has(library)) {
    builds.set(library, mkdir(BUILD, { recursive: true }).then(() => run(library.build(BUILD), library)));
  }
  return builds.get(library);
}

/** The server, with everybody who is there: all are gone at the end of the test. */
async function openStack(t, library) {
  await build(library);
  const users = [];
  const stack = await Stack.start();
  t.after(async () => {
    users.forEach((user) => user.kill());
    await stack.stop();
  });
  const enter = (name, options) => {
    const user = new User(`${name} of ${library.name}`, library.run(BUILD), { url: stack.url, ...options });
    users.push(user);
    return user;
  };
  return { stack, enter };
}

function enterRoom(user, name) {
  user.send({ type: "join", room: ROOM, user: name });
}

/** `json` goes into the message as it is. */
function sendSignal(user, type, json) {
  const member = type === "candidate" ? "candidate" : "sdp";
  user.send(`{"type":"${type}","${member}":${json}}`);
}

/** The next text is this signal, with the very bytes that were sent, and says nothing else. */
async function expectSignal(user, type, from, json) {
  const member = type === "candidate" ? "candidate" : "sdp";
  const text = await user.text();
  assert.deepEqual(JSON.parse(text), { type, room: ROOM, from, [member]: JSON.parse(json) });
  assert.ok(text.includes(`"${member}":${json}`), `${type} of ${from} has come altered: ${text}`);
}

async function expectError(user, message) {
  assert.deepEqual(JSON.parse(await user.text()), { type: "error", message });
}

/** Compression was offered where the library can, and nothing was agreed on. */
async function expectHeads(stack, library) {
  for (const { request, answer } of stack.heads) {
    assert.equal(/^sec-websocket-extensions:.*permessage-deflate/im.test(await request), Boolean(library.offersDeflate));
    assert.doesNotMatch(await answer, /^sec-websocket-(extensions|protocol):/im);
  }
}

/** From the first "join" to the last close frame. */
async function placeCall(t, library) {
  const { stack, enter } = await openStack(t, library);

  // Anna calls before Boris is there: what she says waits for him.
  const anna = enter("Anna", { origin: ORIGIN });
  await anna.expect("open");
  enterRoom(anna, "Анна");
  sendSignal(anna, "offer", OFFER);
  CANDIDATES.forEach((candidate) => sendSignal(anna, "candidate", candidate));
  const boris = enter("Boris", { origin: ORIGIN });
  await boris.expect("open");
  enterRoom(boris, "Boris");
  await expectSignal(boris, "offer", "Анна", OFFER);
  for (const candidate of CANDIDATES) {
    await expectSignal(boris, "candidate", "Анна", candidate);
  }

  sendSignal(boris, "answer", ANSWER);
  CANDIDATES.forEach((candidate) => sendSignal(boris, "candidate", candidate));
  await expectSignal(anna, "answer", "Boris", ANSWER);
  for (const candidate of CANDIDATES) {
    await expectSignal(anna, "candidate", "Boris", candidate);
  }
  sendSignal(anna, "offer", LARGE);
  await expectSignal(boris, "offer", "Анна", LARGE);
  sendSignal(boris, "answer", LARGE);
  await expectSignal(anna, "answer", "Boris", LARGE);

  // Both are silent, but for the pongs of their libraries.
  await delay(SILENCE_MS);
  sendSignal(anna, "candidate", CANDIDATES[0]);
  await expectSignal(boris, "candidate", "Анна", CANDIDATES[0]);
  sendSignal(boris, "candidate", CANDIDATES[0]);
  await expectSignal(anna, "candidate", "Boris", CANDIDATES[0]);

  boris.send({ type: "leave", room: ROOM, user: "Boris" });
  sendSignal(boris, "candidate", CANDIDATES[0]);
  await expectError(boris, "Join the room first");
  sendSignal(anna, "offer", OFFER);
  enterRoom(boris, "Boris");
  await expectSignal(boris, "offer", "Анна", OFFER);

  boris.close(1000);
  await boris.expect("close", "1000");
  await boris.ends();
  stack.stopServer();
  await anna.expect("close", "1001");
  await anna.ends();
  await expectHeads(stack, library);
}

/** Who names another origin than the one that is allowed is refused. Who names none is no browser, and let in. */
async function tryOrigins(t, library) {
  const { stack, enter } = await openStack(t, library);
  const refused = ["failed", library.tellsStatus ? "403" : "-"];

  const stranger = enter("a stranger", { origin: "https://elsewhere.example" });
  await stranger.expect(...refused);
  await stranger.ends();
  const anybody = enter("a user");
  await anybody.expect(...(library.namesItsOrigin ? refused : ["open"]));
  anybody.kill();

  const [{ request: told }, { request: untold }] = stack.heads;
  assert.match(await told, /^origin: https:\/\/elsewhere\.example\r$/im);
  const own = new URL(stack.url.replace("ws:", "http:")).origin;
  assert.equal((await untold).match(/^origin: (.*)\r$/im)?.[1], library.namesItsOrigin ? own : undefined);
}

/** The server must choose none; what the library makes of that is known, and told in the README. */
async function offerSubprotocol(t, library) {
  const { stack, enter } = await openStack(t, library);
  const user = enter("a user", { origin: ORIGIN, subprotocol: "chat.example" });
  const [word] = await user.next();
  assert.equal(word, library.insistsOnSubprotocol ? "failed" : "open");

  const [{ request, answer }] = stack.heads;
  assert.match(await request, /^sec-websocket-protocol: chat\.example\r$/im);
  assert.match(await answer, /^HTTP\/1\.1 101 /);
  assert.doesNotMatch(await answer, /^sec-websocket-protocol:/im);
}

describe("client libraries", { concurrency: 3 }, () => {
  libraries.forEach((library, i) => {
    const options = { skip: missing[i], timeout: 120000 };
    test(`${library.name}: two users place a call`, options, (t) => placeCall(t, library));
    test(`${library.name}: an origin is told and judged`, options, (t) => tryOrigins(t, library));
    test(`${library.name}: of offered subprotocols none is chosen`, options, (t) => offerSubprotocol(t, library));
  });
});
