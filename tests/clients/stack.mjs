// The server on a free port of 127.0.0.1 for the time of a test, and a listener before it that passes everything on
// and keeps the heads of the requests and of their answers.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const SERVER = process.env.HOMECALL_SIGNAL_BINARY ?? join(PROJECT, "build/release/homecall-signal");
export const ORIGIN = "https://call.example";
const PING_INTERVAL_S = 1;
const PONG_TIMEOUT_S = 2; // a virtual machine that starts beside others may be busy for a second
/** Whoever is silent for longer is dropped, unless it has answered a ping. */
export const SILENCE_MS = 1000 * (PING_INTERVAL_S + PONG_TIMEOUT_S) + 300;

/** Collect what comes up to the empty line, as text. */
function headOf(socket) {
  return new Promise((resolve) => {
    let head = "";
    const collect = (data) => {
      head += data.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end >= 0) {
        socket.off("data", collect);
        resolve(head.slice(0, end + 2));
      }
    };
    socket.on("data", collect);
  });
}

export class Stack {
  #directory;
  #server;
  #serverPort;
  #listener;
  /** For each connection: { request, answer }, promises of heads. */
  heads = [];

  static async start() {
    const stack = new Stack();
    try {
      await stack.#startServer();
      await stack.#listen();
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  get url() {
    return `ws://127.0.0.1:${this.#listener.address().port}/signal`;
  }

  async #startServer() {
    // Its own directory as the current one: no .env of the developer's takes part.
    this.#directory = await mkdtemp(join(tmpdir(), "homecall-clients-"));
    const env = {
      ...process.env,
      WS_HOST: "127.0.0.1",
      WS_PORT: "0",
      ADMIN_PORT: "0",
      ALLOWED_ORIGINS: ORIGIN,
      PING_INTERVAL: String(PING_INTERVAL_S),
      PONG_TIMEOUT: String(PONG_TIMEOUT_S),
      LOG_LEVEL: "info",
      LOG_FILE: "",
    };
    this.#server = spawn(SERVER, [], { cwd: this.#directory, env, stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(this.#server, "exit").then(([code]) => {
      throw new Error(`${SERVER} ended at its start with ${code}`);
    });
    ended.catch(() => {}); // a later end is the test's business
    const started = new Promise((resolve) => {
      createInterface(this.#server.stdout).on("line", (line) => {
        const port = line.match(/\bport=(\d+)/);
        if (port) {
          resolve(Number(port[1]));
        }
      });
    });
    this.#serverPort = await Promise.race([started, ended]);
  }

  async #listen() {
    this.#listener = createServer({ allowHalfOpen: true }, (client) => {
      const server = connect({ port: this.#serverPort, host: "127.0.0.1", allowHalfOpen: true });
      this.heads.push({ request: headOf(client), answer: headOf(server) });
      for (const [from, to] of [[client, server], [server, client]]) {
        from.pipe(to);
        from.on("error", () => to.destroy());
      }
    }).listen(0, "127.0.0.1");
    await once(this.#listener, "listening");
  }

  /** Tell the server to stop, as an operator does. */
  stopServer() {
    this.#server.kill("SIGTERM");
  }

  async stop() {
    this.#listener?.close();
    if (this.#server && this.#server.exitCode === null && this.#server.signalCode === null) {
      this.#server.kill("SIGKILL");
      await once(this.#server, "exit");
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}
