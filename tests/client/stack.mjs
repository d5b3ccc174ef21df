// The server on a free port of 127.0.0.1, and before it a listener whose lines can be cut, and can swallow what they
// should pass on. Its port stays the same when the server is started again.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";

import { SignalClient } from "../../deploy/client/signal.js";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const SERVER = process.env.HOMECALL_SIGNAL_BINARY ?? join(PROJECT, "build/release/homecall-signal");
/** For what takes milliseconds where the machine has nothing else to do. */
const PATIENCE_MS = 20000;
const ORIGIN = "https://call.example";

class FromPage extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, { origin: ORIGIN });
  }
}

export class Stack {
  #directory;
  #server = null;
  #serverPort;
  #listener;
  #lines = new Set();
  #settings;
  #drawBytes = null;
  #clients = [];

  static async start(t, settings = {}) {
    const stack = new Stack();
    t.after(() => stack.#stop());
    stack.#settings = settings;
    // Its own directory as the current one: no .env of the developer's takes part.
    stack.#directory = await mkdtemp(join(tmpdir(), "homecall-client-"));
    await stack.startServer();
    stack.#listener = createServer((client) => stack.#connect(client)).listen(0, "127.0.0.1");
    await once(stack.#listener, "listening");
    return stack;
  }

  async startServer() {
    const env = {
      ...process.env,
      WS_HOST: "127.0.0.1",
      WS_PORT: "0",
      ADMIN_PORT: "0",
      ALLOWED_ORIGINS: ORIGIN,
      DRAIN_SECONDS: "1",
      LOG_LEVEL: "info",
      LOG_FILE: "",
      ...this.#settings,
    };
    const server = spawn(SERVER, [], { cwd: this.#directory, env, stdio: ["ignore", "pipe", "inherit"] });
    this.#server = server;
    const ended = once(server, "exit").then(([code]) => {
      throw new Error(`${SERVER} ended at its start with ${code}`);
    });
    ended.catch(() => {}); // a later end is the test's business
    const started = new Promise((resolve) => {
      createInterface(server.stdout).on("line", (line) => {
        const port = line.match(/\bport=(\d+)/);
        if (port) {
          resolve(Number(port[1]));
        }
      });
    });
    this.#serverPort = await Promise.race([started, ended]);
  }

  async stopServer(signal = "SIGTERM") {
    const server = this.#server;
    this.#server = null;
    if (server !== null && server.exitCode === null && server.signalCode === null) {
      server.kill(signal);
      await once(server, "exit");
    }
  }

  #connect(client) {
    const server = connect(this.#serverPort, "127.0.0.1");
    const line = { ends: [client, server], isSwallowing: false, bytesLeft: this.#drawBytes?.() ?? Infinity };
    this.#lines.add(line);
    for (const [from, to] of [[client, server], [server, client]]) {
      from.on("data", (data) => {
        if (!line.isSwallowing) {
          to.write(data.subarray(0, line.bytesLeft));
        }
        line.bytesLeft -= data.length;
        if (line.bytesLeft <= 0) {
          line.ends.forEach((end) => end.destroySoon());
        }
      });
      from.on("error", () => {});
      from.on("close", () => {
        this.#lines.delete(line);
        to.destroy();
      });
    }
  }

  /** Cut all lines, or only the oldest. */
  cut({ onlyOldest = false } = {}) {
    const lines = [...this.#lines].slice(0, onlyOldest ? 1 : undefined);
    lines.forEach(({ ends }) => ends.forEach((end) => end.destroy()));
  }

  /** New lines end after so many bytes as `drawBytes` gives; without it they stay. */
  endLines(drawBytes = null) {
    this.#drawBytes = drawBytes;
  }

  /** The lines that are there pass nothing on any more, and nobody is told. New ones do. */
  swallow() {
    this.#lines.forEach((line) => (line.isSwallowing = true));
  }

  get #url() {
    return `ws://127.0.0.1:${this.#listener.address().port}/signal`;
  }

  /** A plain socket, which speaks version 1. */
  async openVersion1() {
    const socket = new FromPage(this.#url);
    await once(socket, "open");
    return socket;
  }

  /** A client that notes what it is told. */
  create(options = {}) {
    const client = new SignalClient(this.#url, { WebSocket: FromPage, backoff: () => 50, ...options });
    this.#clients.push(client);
    return new Notes(client);
  }

  async #stop() {
    this.#clients.forEach((client) => client.close());
    this.cut();
    this.#listener?.close();
    await this.stopServer("SIGKILL");
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** A client and its events, in order. */
export class Notes {
  #events = [];
  #waiting = null;

  constructor(client) {
    this.client = client;
    const types = ["joined", "resumed", "peer-joined", "peer-changed", "peer-away", "peer-back", "peer-left"];
    for (const type of [...types, "signal", "error", "closed", "state"]) {
      client.on(type, (event) => {
        this.#events.push([type, event]);
        this.#waiting?.();
      });
    }
  }

  /** The next event of `type`; those before it are dropped. */
  async next(type) {
    for (;;) {
      while (this.#events.length > 0) {
        const [name, event] = this.#events.shift();
        if (name === type) {
          return event;
        }
      }
      await this.#news(type);
    }
  }

  async #news(type) {
    let timer;
    await new Promise((resolve, reject) => {
      this.#waiting = resolve;
      timer = setTimeout(() => reject(new Error(`no ${type}; it is ${this.client.state}`)), PATIENCE_MS);
    });
    clearTimeout(timer);
    this.#waiting = null;
  }

  /** All that was noted and not asked for. */
  rest() {
    return this.#events.splice(0);
  }
}
