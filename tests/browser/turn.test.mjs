// A call between two real pages that can't reach each other, each behind a router of its own, by the turn service of the
// compose file. tests/deploy/test_turn.sh makes the net and the services, and runs this file once more in it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Browser, bothSeeFrames, hangUp, linkOf, phase, press, says } from "./pages.mjs";

const SITE = "https://203.0.113.7/";
const NET = fileURLToPath(new URL("../deploy/test_turn.sh", import.meta.url));

/** A browser on the machine of a caller. */
async function browserOf(name, directory) {
  const program = join(directory, name);
  const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";
  await writeFile(program, `#!/bin/sh\nexec ip netns exec ${name} ${chromium} "$@"\n`, { mode: 0o755 });
  return Browser.start(SITE, { program });
}

/** How the page's connection goes: the kinds of the two ends of the pair of candidates in use. */
const wayOf = (page) =>
  page.evaluate(async () => {
    const reports = await window.connections.at(-1).getStats();
    const { selectedCandidatePairId } = [...reports.values()].find(({ type }) => type === "transport");
    const { localCandidateId, remoteCandidateId } = reports.get(selectedCandidatePairId);
    return [localCandidateId, remoteCandidateId].map((id) => reports.get(id).candidateType);
  });

async function callThroughRelay() {
  const directory = await mkdtemp(join(tmpdir(), "homecall-turn-"));
  const browsers = await Promise.all(["anna", "boris"].map((name) => browserOf(name, directory)));
  try {
    const [anna] = [await browsers[0].open(SITE, { ignoreHTTPSErrors: true })];
    await press(anna, "Anna");
    const boris = await browsers[1].open(await linkOf(anna), { ignoreHTTPSErrors: true });
    await press(boris, "Boris");
    await bothSeeFrames(anna, boris);
    for (const page of [anna, boris]) {
      assert.ok((await wayOf(page)).includes("relay"), `${await wayOf(page)}`);
    }
    await hangUp(boris);
    await phase(boris, "ended");
    await says(anna, "Boris has hung up");
    await Promise.all(browsers.map((browser) => browser.closePages()));
  } finally {
    await Promise.all(browsers.map((browser) => browser.stop()));
    await rm(directory, { recursive: true, force: true });
  }
}

if (process.argv.includes("--inside")) {
  await callThroughRelay();
} else {
  test("two pages that can't reach each other call each other by the turn service", async () => {
    const command = [NET, "--with", process.execPath, "tests/browser/turn.test.mjs", "--inside"];
    const [program, ...args] = process.getuid() === 0 ? command : ["sudo", "--preserve-env=PATH,CHROMIUM", ...command];
    await promisify(execFile)(program, args);
  });
}
