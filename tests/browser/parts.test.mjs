// The parts of the page that need no browser.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

// The page's files are modules because the page says so. Debian's Node.js 18 wants to read that in a package.json, which
// the page has no use for, so the test gives it one in a copy; nor has that Node the global `crypto` of a browser.
globalThis.crypto ??= webcrypto;
const copy = await mkdtemp(join(tmpdir(), "homecall-parts-"));
await cp(new URL("../../deploy/pwa/js", import.meta.url), copy, { recursive: true });
await writeFile(join(copy, "package.json"), '{ "type": "module" }');
const { newCodeword, roomFromFragment } = await import(join(copy, "codeword.js"));
const { displayName, userId } = await import(join(copy, "identity.js"));
const { backOff } = await import(join(copy, "signaling.js"));
const { pickLanguage, texts, translator } = await import(join(copy, "text.js"));
await rm(copy, { recursive: true });

test("both languages say the same things with the same placeholders", () => {
  const placeholders = (language) =>
    Object.entries(texts[language]).map(([key, text]) => [key, text.match(/\{\w+\}/g)]);
  assert.deepEqual(placeholders("ru"), placeholders("en"));
});

test("a placeholder is filled in literally", () => {
  assert.equal(translator("en")("incall", { name: "$& {name}" }), "In a call with $& {name}");
});

test("the first known language wins, and English stands in for unknown ones", () => {
  assert.equal(pickLanguage(["de-DE", "ru-RU", "en-US"]), "ru");
  assert.equal(pickLanguage(["de-DE", "RU"]), "ru");
  assert.equal(pickLanguage(["en-GB", "ru"]), "en");
  assert.equal(pickLanguage(["de", "constructor"]), "en");
  assert.equal(pickLanguage([]), "en");
});

test("a codeword is five words, survives its link and does not repeat", () => {
  const codewords = Array.from({ length: 1000 }, newCodeword);
  assert.equal(new Set(codewords).size, codewords.length);
  for (const codeword of codewords) {
    assert.match(codeword, /^([b-z][aiou][b-z][aiou]-){4}[b-z][aiou][b-z][aiou]$/);
    assert.equal(roomFromFragment(`#room=${codeword}`), codeword);
  }
});

test("a fragment names a room if the protocol allows it", () => {
  assert.equal(roomFromFragment("#room=%D0%B4%D0%BE%D0%BC+2"), "дом 2");
  assert.equal(roomFromFragment("#a=b&room=x"), "x");
  assert.equal(roomFromFragment(`#room=${"я".repeat(256)}`), "я".repeat(256));
  const tooLong = `#room=${"я".repeat(256)}x`;
  for (const fragment of ["", "#", "#room", "#room=", "#room=%20%20", "#rooms=x", tooLong]) {
    assert.equal(roomFromFragment(fragment), null, fragment);
  }
});

test("the back-off grows to its limit and is spread over half of itself", () => {
  assert.deepEqual([0, 1, 2, 3].map((n) => backOff(n, 1)), [500, 750, 1125, 1687.5]);
  assert.ok([0, 1, 2, 3].reduce((sum, n) => sum + backOff(n, 1), 0) < 4100);
  assert.equal(backOff(0, 0), 250);
  assert.equal(backOff(9, 1), 15000);
  assert.equal(backOff(5000, 0), 7500);
});

test("a user id shows as the name, and a foreign one as it is", () => {
  assert.equal(displayName(userId("Анна #1", "k3f90aaz")), "Анна #1");
  assert.equal(displayName("Anna"), "Anna");
});
