// The package: what it exports, the oldest browsers, its size, its types.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { parse } from "acorn";
import { minify } from "terser";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PACKAGE = fileURLToPath(new URL("../../deploy/client", import.meta.url));
const LARGEST_BYTES = 5000;

const manifest = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8"));
const names = (await readdir(PACKAGE)).filter((name) => name.endsWith(".js"));
const sources = await Promise.all(names.map((name) => readFile(join(PACKAGE, name), "utf8")));

test("exports what it says, and nothing runs when it is imported", async () => {
  const before = Object.getOwnPropertyNames(globalThis);
  const exported = await import(join(PACKAGE, manifest.exports["."].default));
  assert.deepEqual(Object.keys(exported).sort(), ["SignalClient", "SignalError", "negotiate"]);
  assert.deepEqual(Object.getOwnPropertyNames(globalThis), before);
  assert.equal(manifest.sideEffects, false);
  assert.equal(manifest.dependencies, undefined);
});

/** The files that `npm pack` puts together in `folder`, unpacked. */
async function pack(t, folder) {
  const directory = await mkdtemp(join(tmpdir(), "homecall-pack-"));
  t.after(() => rm(directory, { recursive: true }));
  const run = promisify(execFile);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", directory], { cwd: folder });
  const [{ files }] = JSON.parse(stdout.slice(stdout.indexOf("[\n")));
  const [archive] = await readdir(directory);
  await run("tar", ["-xzf", archive], { cwd: directory });
  return { names: files.map(({ path }) => path).sort(), unpacked: join(directory, "package") };
}

test("can be packed, with its license, from the folder and from the link to it", async (t) => {
  for (const folder of [PACKAGE, join(PACKAGE, "../pwa/client")]) {
    const { names: packed, unpacked } = await pack(t, folder);
    assert.deepEqual(packed, [...manifest.files, "LICENSE", "README.md", "package.json"].sort());
    const license = (where) => readFile(join(where, "LICENSE"), "utf8");
    assert.equal(await license(unpacked), await license(join(PACKAGE, "../..")));
    const { SignalClient } = await import(join(unpacked, manifest.exports["."].default));
    assert.equal(new SignalClient("wss://call.example/signal").state, "idle");
    await assert.rejects(license(folder), { code: "ENOENT" }); // one LICENSE is enough in the project
  }
});

test("all that it imports is in the package", () => {
  for (const source of sources) {
    for (const [, name] of source.matchAll(/from "(.*)"/g)) {
      assert.ok(names.includes(name.replace("./", "")), name);
    }
  }
  assert.deepEqual(manifest.files.filter((name) => name.endsWith(".js")).sort(), names.sort());
});

test("needs nothing newer than ECMAScript 2020", () => {
  const newer = /AbortSignal\.timeout|\.at\(|structuredClone|replaceAll|Object\.hasOwn|Promise\.any|WeakRef|randomUUID/;
  sources.forEach((source, i) => {
    parse(source, { ecmaVersion: 2020, sourceType: "module" });
    assert.doesNotMatch(source, newer, names[i]);
  });
});

test("is at most 5,000 bytes, minified and compressed", async (t) => {
  const minified = await Promise.all(sources.map((source) => minify(source, { module: true, ecma: 2020 })));
  const bytes = gzipSync(minified.map(({ code }) => code).join("\n"), { level: 9 }).length;
  const asWritten = gzipSync(sources.join("\n"), { level: 9 }).length;
  t.diagnostic(`${bytes} bytes minified and compressed, ${asWritten} compressed with its comments`);
  assert.ok(bytes <= LARGEST_BYTES, `${bytes} bytes`);
});

test("its types hold, strictly", async (t) => {
  // As a program finds it: among its modules.
  const directory = await mkdtemp(join(tmpdir(), "homecall-types-"));
  t.after(() => rm(directory, { recursive: true }));
  await mkdir(join(directory, "node_modules/@homecall"), { recursive: true });
  await cp(PACKAGE, join(directory, "node_modules/@homecall/signal"), { recursive: true });
  await cp(join(HERE, "types.ts"), join(directory, "types.ts"));
  const options = ["--noEmit", "--strict", "--target", "es2020", "--module", "nodenext", "--lib", "es2020,dom"];
  const tsc = join(HERE, "node_modules/typescript/bin/tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, ...options, "types.ts"], { cwd: directory }).catch(
    (error) => error,
  );
  assert.equal(stdout, "");
});
