// The server and a private nginx before it, on free ports of 127.0.0.1, for the time of a test.
//
// The same template as deploy/run.sh uses, so the tests see the page as its users do. The server may be
// killed and started again on its port while nginx goes on. HOMECALL_PAGE names the directory of another page.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Server } from "./server.mjs";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
export const PAGE = process.env.HOMECALL_PAGE ?? join(PROJECT, "deploy/pwa");
const START_PATIENCE_MS = 10000;
const POLL_MS = 20;

export async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}

/** Wait for what `attempt` promises, asking again while it rejects. */
export async function untilWorks(attempt) {
  const deadline = AbortSignal.timeout(START_PATIENCE_MS);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (deadline.aborted) {
        throw error;
      }
      await delay(POLL_MS);
    }
  }
}

export class Stack {
  #directory;
  #server;
  #serverPort = 0;
  #environment;
  #nginx;
  url;

  /** `page` is its directory; `environment` has more options of the server. */
  static async start({ page = PAGE, environment = {} } = {}) {
    const stack = new Stack();
    stack.#environment = environment;
    stack.#directory = await mkdtemp(join(tmpdir(), "homecall-browser-"));
    try {
      await stack.startServer();
      await stack.#startNginx(page);
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  /** Start the server; again on the same port after killServer(). */
  async startServer() {
    const environment = {
      TURN_URLS: "stun:127.0.0.1:3478,turn:127.0.0.1:3478?transport=udp", // nobody is there: calls go directly
      TURN_SECRET: "of the test",
      TURN_TTL: "60",
      ...this.#environment,
    };
    this.#server = await Server.start(this.#directory, { port: this.#serverPort, environment });
    this.#serverPort = this.#server.port;
  }

  async killServer() {
    await this.#server.end("SIGKILL");
  }

  async #startNginx(page) {
    const port = await freePort();
    const values = {
      RUN_DIR: this.#directory,
      PAGE_DIR: page,
      PAGE_POLICY: "",
      HTTP_PORT: port,
      WS_PORT: this.#serverPort,
      USER_DIRECTIVE: process.getuid() === 0 ? `user ${userInfo().username};` : "",
    };
    const template = await readFile(join(PROJECT, "deploy/nginx.conf.in"), "utf8");
    const file = join(this.#directory, "nginx.conf");
    await writeFile(file, template.replace(/@([A-Z_]+)@/g, (_, name) => values[name]));
    const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
    const log = join(this.#directory, "nginx-error.log");
    const options = { env: environment, stdio: ["ignore", "inherit", "inherit"] };
    this.#nginx = spawn("nginx", ["-e", log, "-p", this.#directory, "-c", file], options);
    this.url = `http://127.0.0.1:${port}/`;
    await untilWorks(() => fetch(this.url));
  }

  async stopNginx() {
    if (this.#nginx?.exitCode === null && this.#nginx.signalCode === null) {
      this.#nginx.kill();
      await once(this.#nginx, "exit");
    }
  }

  async stop() {
    await this.stopNginx();
    await this.#server?.end();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
