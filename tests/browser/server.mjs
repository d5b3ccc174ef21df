// A signaling server of its own for a test, on a free port of 127.0.0.1. HOMECALL_SIGNAL_BINARY names another program.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = process.env.HOMECALL_SIGNAL_BINARY ?? join(PROJECT, "build/release/homecall-signal");

export class Server {
  #lines;
  #ended; // when the last process of it has: they all write to one stream
  #pid;
  port;

  /** `directory` is the current one of the server, so that no .env of the developer's takes part. */
  static async start(directory, { port = 0, environment = {} } = {}) {
    const server = new Server();
    const env = {
      ...process.env,
      WS_HOST: "127.0.0.1",
      WS_PORT: String(port),
      ADMIN_PORT: "0",
      LOG_LEVEL: "info",
      LOG_FILE: "",
      ...environment,
    };
    const child = spawn(PROGRAM, [], { cwd: directory, env, stdio: ["ignore", "pipe", "inherit"] });
    const failed = once(child, "exit").then(([code]) => {
      throw new Error(`${PROGRAM} ended at its start with ${code}`);
    });
    failed.catch(() => {}); // a later end is the test's business
    server.#pid = child.pid;
    server.#lines = createInterface(child.stdout);
    server.#ended = once(server.#lines, "close");
    server.port = Number(await Promise.race([server.#logged(/\bport=(\d+)/), failed]));
    return server;
  }

  /** The first group of what is logged next. */
  #logged(pattern) {
    return new Promise((resolve) => {
      const look = (line) => {
        const found = line.match(pattern);
        if (found) {
          this.#lines.off("line", look);
          resolve(found[1]);
        }
      };
      this.#lines.on("line", look);
    });
  }

  /** Another process takes over, as at a deployment; resolves when it serves, while the first one may still be ending. */
  async succeed() {
    const serves = this.#logged(/the successor serves, (stopping)/);
    const pid = this.#logged(/starting a successor .*\bpid=(\d+)/);
    process.kill(this.#pid, "SIGUSR2");
    this.#pid = Number(await pid);
    await serves;
  }

  async end(signal = "SIGTERM") {
    try {
      process.kill(this.#pid, signal);
    } catch (error) {
      if (error.code !== "ESRCH") {
        throw error;
      }
    }
    await this.#ended;
  }
}
