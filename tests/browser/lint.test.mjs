// The page uses nothing that its oldest browsers do not know: neither its scripts nor its style.

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { SCRIPT_EXCEPTIONS, STYLE_EXCEPTIONS } from "./lint/exceptions.mjs";
import { lintScript } from "./lint/script.mjs";
import { lintStyle } from "./lint/style.mjs";
import { CLIENT, PAGE as BROWSERS } from "./lint/support.mjs";
import { PAGE } from "./stack.mjs";

const files = (await readdir(PAGE, { recursive: true })).filter((name) => /\.(m?js|css)$/.test(name)).sort();
const needed = new Set(); // exceptions that something has used

/** The faults of a file that no exception covers, as lines to read. */
async function faultsOf(name) {
  const source = await readFile(join(PAGE, name), "utf8");
  const isClient = name.startsWith("client/");
  const isStyle = name.endsWith(".css");
  const faults = isStyle
    ? lintStyle(source, BROWSERS)
    : await lintScript(source, isClient ? CLIENT : BROWSERS, { ecmaVersion: isClient ? 2020 : 2022 });
  const exceptions = isClient ? [] : isStyle ? STYLE_EXCEPTIONS : SCRIPT_EXCEPTIONS;
  const isExcepted = ({ what, isCaught, asked }) => {
    const exception = exceptions.find((one) => one.what === what);
    if (exception === undefined || !(isStyle || isCaught || asked.has(exception.asks ?? what.split(".").at(-1)))) {
      return false;
    }
    needed.add(exception);
    return true;
  };
  return faults.filter((fault) => !isExcepted(fault)).map(({ line, message }) => `${name}:${line}: ${message}`);
}

test("each script and style sheet keeps to what the oldest browsers know", async () => {
  assert.ok(files.some((name) => name.startsWith("client/")) && files.some((name) => name.endsWith(".css")));
  const faults = await Promise.all(files.map(faultsOf));
  assert.deepEqual(faults.flat(), []);
});

test("no exception outlives its use", () => {
  const unused = [...SCRIPT_EXCEPTIONS, ...STYLE_EXCEPTIONS].filter((exception) => !needed.has(exception));
  assert.deepEqual(unused.map(({ what }) => what), []);
});

test("those who read are told the same browsers", async () => {
  for (const [file, { chrome, firefox, safari, safari_ios: ios }] of [["README.md", BROWSERS], ["client/README.md", CLIENT]]) {
    const text = (await readFile(join(PAGE, file), "utf8")).replace(/\s+/g, " ");
    const onIos = ios === safari ? "iOS" : `iOS ${ios}`;
    for (const browser of [`Chrome and Edge ${chrome}`, `Firefox ${firefox}`, `Safari ${safari}`, onIos]) {
      assert.ok(text.includes(browser), `${file}: ${browser}`);
    }
  }
});

// The linter itself. `AbortSignal.timeout` once made the page blank in Safari 15.4.
const whats = (faults) => faults.map(({ what }) => what);

test("the linter finds scripts that a browser does not know", async () => {
  const found = async (source, browsers = BROWSERS, options) => whats(await lintScript(source, browsers, options));
  const beyondPage = {
    "AbortSignal.timeout(1);": ["AbortSignal.timeout"],
    "Object.groupBy([], String);": ["Object.groupBy"],
    "structuredClone({});": ["structuredClone"],
    "export const last = (list) => list.findLast(Boolean);": ["Array.findLast"],
    "new RTCPeerConnection().connectionState;": ["RTCPeerConnection.connectionState"],
    "const { wakeLock } = navigator;": ["Navigator.wakeLock"],
    "navigator.share({});": ["Navigator.share"],
    "class A { static { } }": ["static block"],
    "/(?<=a)b/;": ["(?<="],
    'import data from "./data.json" with { type: "json" };': ["syntax"],
  };
  for (const [source, expected] of Object.entries(beyondPage)) {
    assert.deepEqual(await found(source), expected, source);
  }
  const beyondClient = {
    "[1].at(-1);": "Array.at",
    '"".replaceAll("a", "b");': "String.replaceAll",
    "class A { #secret; }": "private member",
    'export * as all from "./all.js";': "export * as",
    "crypto.randomUUID();": "Crypto.randomUUID",
    "new WeakRef({});": "WeakRef",
  };
  for (const [source, expected] of Object.entries(beyondClient)) {
    assert.ok((await found(source, CLIENT)).includes(expected), source);
    assert.deepEqual(await found(source, BROWSERS), [], source);
  }
  assert.deepEqual(await found("let a; a ??= 1;", CLIENT, { ecmaVersion: 2020 }), ["syntax"]);
});

test("to ask for a feature is not to use it, and no comment turns the linter off", async () => {
  const questions = [
    '"wakeLock" in navigator; navigator.wakeLock?.request();',
    "if (navigator.share) {}",
    "document.pictureInPictureElement === undefined;",
    "typeof structuredClone;",
    "export const list = { }; list.with = 1;",
  ];
  for (const source of questions) {
    assert.deepEqual(await lintScript(source, BROWSERS), [], source);
  }
  const [compared] = await lintScript('new RTCPeerConnection().connectionState === "connected";', BROWSERS);
  assert.equal(compared.what, "RTCPeerConnection.connectionState");
  const [used] = await lintScript("if (navigator.share) { navigator.share({}); }", BROWSERS);
  assert.ok(used.asked.has("share") && !used.isCaught);
  const [caught] = await lintScript("try { navigator.share({}); } catch {}", BROWSERS);
  assert.ok(caught.isCaught && !caught.asked.has("share"));
  const [late] = await lintScript("try { setTimeout(() => navigator.share({})); } catch {}", BROWSERS);
  assert.ok(!late.isCaught);
  assert.equal((await lintScript("// eslint-disable-next-line\nAbortSignal.timeout(1);", BROWSERS)).length, 1);
});

test("the linter finds style that a browser does not know", () => {
  const beyondPage = {
    "a:has(b) { color: red; }": [":has"],
    "a { color: color-mix(in srgb, red, blue); }": ["color-mix()"],
    "a { background: linear-gradient(light-dark(red, blue), red); }": ["light-dark()"],
    "a { text-wrap: balance; }": ["text-wrap"],
    "a { height: 1dvh; }": ["dvh"],
    "a { &:hover { color: red; } }": ["nesting"],
    "@media (width > 1px) { a { color: red; } }": ["a range in @media"],
    "@container (min-width: 1px) { a { color: red; } }": ["@container"],
    "@supports (color: red) { a:has(b) { color: red; } }": [":has"],
  };
  for (const [source, expected] of Object.entries(beyondPage)) {
    assert.deepEqual([...new Set(whats(lintStyle(source, BROWSERS)))], expected, source);
  }
});

test("style that says what older browsers get is none of its finds", () => {
  for (const source of [
    "a { height: 1vh; height: 1dvh; }",
    "@supports selector(:has(b)) { a:has(b) { color: red; } }",
    "@supports (color: color-mix(in srgb, red, blue)) { a { color: color-mix(in srgb, red, blue); } }",
  ]) {
    assert.deepEqual(lintStyle(source, BROWSERS), [], source);
  }
});
