// Two people whose pages are connected to two servers of one cluster, while the engine between these is started again.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";

import { Browser, bothSeeFrames, hangUp, linkOf, phase, press, says } from "./pages.mjs";
import { Stack, freePort, untilWorks } from "./stack.mjs";

const PROGRAM = "/usr/sbin/nats-server";
const skip = await access(PROGRAM).then(() => false, () => "there is no nats-server");

class Engine {
  #port;
  #process;

  static async start() {
    const engine = new Engine();
    engine.#port = await freePort();
    await engine.startAgain();
    return engine;
  }

  get url() {
    return `nats://127.0.0.1:${this.#port}`;
  }

  async startAgain() {
    this.#process = spawn(PROGRAM, ["-a", "127.0.0.1", "-p", String(this.#port)], { stdio: "ignore" });
    await untilWorks(async () => {
      const connection = createConnection(this.#port, "127.0.0.1");
      await once(connection, "connect");
      connection.destroy();
    });
  }

  async kill() {
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}

let directory;
let engine;
let stacks = [];
let browser;

before(async () => {
  if (skip) {
    return;
  }
  directory = await mkdtemp(join(tmpdir(), "homecall-cluster-"));
  const secret = join(directory, "secret");
  await writeFile(secret, "a secret of more than thirty-two bytes", { mode: 0o600 });
  engine = await Engine.start();
  const environment = { CLUSTER_URL: engine.url, CLUSTER_SECRET_FILE: secret };
  stacks = await Promise.all(
    ["first", "second"].map((name) => Stack.start({ environment: { ...environment, CLUSTER_NODE: name } })),
  );
  browser = await Browser.start(stacks[0].url, { hosts: [new URL(stacks[1].url).host] });
});
afterEach(() => browser?.closePages());
after(async () => {
  await browser?.stop();
  await Promise.all(stacks.map((stack) => stack.stop()));
  await engine?.kill();
  if (directory) {
    await rm(directory, { recursive: true });
  }
});

test("a call is set up and ended over two servers while their engine is started again", { skip }, async () => {
  const anna = await browser.open(stacks[0].url);
  await press(anna, "Anna");
  const link = await linkOf(anna);

  await engine.kill();
  const boris = await browser.open(link.replace(stacks[0].url, stacks[1].url));
  await press(boris, "Boris");
  await engine.startAgain();
  await bothSeeFrames(anna, boris);
  await says(anna, "Boris");
  await says(boris, "Anna");

  await engine.kill();
  await bothSeeFrames(anna, boris);
  await hangUp(boris);
  await engine.startAgain();
  await Promise.all([phase(anna, "ended"), phase(boris, "ended")]);
  await says(anna, "Boris has hung up");
});
