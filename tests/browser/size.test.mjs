// How much the page weighs on its way to a person: each file compressed by itself, as servers do.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { generate, parse } from "css-tree";
import { minify } from "terser";

import { pageFiles } from "./page_files.mjs";
import { PAGE } from "./stack.mjs";

const LARGEST_BYTES = 40000;

const compressed = (text) => gzipSync(text, { level: 9 }).length;

/** A file without its comments and its long names, as the client's size is measured too. */
async function minified(name, text) {
  if (/\.m?js$/.test(name)) {
    return (await minify(text, { module: true, ecma: 2020 })).code;
  }
  return name.endsWith(".css") ? generate(parse(text)) : text;
}

/** The files of a page, as { name, bytes, minifiedBytes }, both of them compressed; largest first. */
async function sizes(directory) {
  const files = (await pageFiles(directory)).filter((name) => !name.endsWith(".png")); // that is for home screens only
  const all = await Promise.all(
    files.map(async (name) => {
      const text = await readFile(join(directory, name), "utf8");
      return { name, bytes: compressed(text), minifiedBytes: compressed(await minified(name, text)) };
    }),
  );
  return all.sort((a, b) => b.bytes - a.bytes);
}

const total = (all, of) => all.reduce((sum, size) => sum + size[of], 0);

test("the whole page is at most 40 kB, minified and compressed", async () => {
  const bytes = total(await sizes(PAGE), "minifiedBytes");
  assert.ok(bytes <= LARGEST_BYTES, `${bytes} bytes`);
});

/** What a first visit needs besides the client: one language, and no QR code yet. */
const isForStart = ({ name }) => !/^(client|vendor)\/|^js\/text_ru|^sw\.js|\.(svg|json|webmanifest)$/.test(name);

test("what a first visit loads beside the client is at most 40 kB as it lies there, compressed", async (t) => {
  const all = (await sizes(PAGE)).filter(isForStart);
  const largest = all.slice(0, 5).map(({ name, bytes }) => `${name} ${bytes}`);
  t.diagnostic(`${total(all, "bytes")} bytes in ${all.length} files; the largest: ${largest.join(", ")}`);
  assert.ok(total(all, "bytes") <= LARGEST_BYTES, `${total(all, "bytes")} bytes`);
});
