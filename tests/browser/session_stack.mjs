// A page and the server behind a proxy that the test can do harm to, on free ports of 127.0.0.1.

import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Server } from "./server.mjs";

const PAGE = fileURLToPath(new URL("session_page", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript" };

export class SessionStack {
  #directory;
  #environment;
  #proxy;
  #lines = []; // the two sockets of each WebSocket that goes through: { page, server }
  #refused = 0;
  server;
  url;

  /** `read` gives the content of a path; that of the folder session_page unless set. `environment` is that of the
   * server. */
  static async start(read = readSessionPage, { environment = {} } = {}) {
    const stack = new SessionStack();
    stack.#environment = environment;
    stack.#directory = await mkdtemp(join(tmpdir(), "homecall-session-"));
    stack.server = await Server.start(stack.#directory, { environment });
    stack.#proxy = createServer((request, response) => servePage(request.url, response, read));
    stack.#proxy.on("upgrade", (request, socket, head) => stack.#passOn(request, socket, head));
    await once(stack.#proxy.listen(0, "127.0.0.1"), "listening");
    stack.url = `http://127.0.0.1:${stack.#proxy.address().port}/`;
    return stack;
  }

  #passOn({ method, url, rawHeaders }, page, head) {
    const server = connect(this.server.port, "127.0.0.1");
    const line = { page, server };
    this.#lines.push(line);
    const fields = rawHeaders.map((text, i) => text + (i % 2 === 0 ? ": " : "\r\n")).join("");
    server.write(`${method} ${url} HTTP/1.1\r\n${fields}\r\n`);
    server.write(head);
    server.once("data", (data) => (this.#refused += data.toString("latin1").startsWith("HTTP/1.1 101 ") ? 0 : 1));
    server.on("error", () => page.destroy());
    page.on("error", () => server.destroy());
    server.pipe(page).pipe(server);
  }

  /** How many WebSockets the server has refused, or could not be asked for, since the last question. */
  refused() {
    const count = this.#refused;
    this.#refused = 0;
    return count;
  }

  /** Close WebSockets, all that there are unless some are named. With `areGhosts`, the server does not see that: it has
   * to find out. */
  cut({ areGhosts = false, lines = this.#lines } = {}) {
    [...lines].forEach((line) => {
      const { page, server } = line;
      this.#lines.splice(this.#lines.indexOf(line), 1);
      if (areGhosts) {
        server.unpipe(page);
        page.unpipe(server);
      }
      page.destroy();
      if (!areGhosts) {
        server.destroy();
      }
    });
  }

  /** The WebSocket that came last, for cut() and swallow(). */
  newest() {
    return this.#lines.at(-1);
  }

  /** These WebSockets pass nothing on any more, in neither direction, and nobody is told. New ones do. */
  swallow(lines) {
    lines.forEach(({ page, server }) => {
      for (const [from, to] of [[page, server], [server, page]]) {
        from.unpipe(to);
        from.resume(); // what comes is taken, so nobody notices by a full buffer either
      }
    });
  }

  /** The server ends as `signal` says, and `afterMs` later another one takes its port. */
  async restartServer(signal = "SIGTERM", { afterMs = 0 } = {}) {
    const { port } = this.server;
    await this.server.end(signal);
    await delay(afterMs);
    this.server = await Server.start(this.#directory, { port, environment: this.#environment });
  }

  async stop() {
    this.#lines.forEach(({ page, server }) => [page, server].forEach((socket) => socket.destroy()));
    this.#proxy.closeAllConnections?.();
    this.#proxy.close();
    await this.server.end();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

const readSessionPage = (path) => readFile(join(PAGE, basename(path) || "index.html"));

async function servePage(url, response, read) {
  const path = new URL(url, "http://localhost").pathname;
  try {
    const content = await read(path);
    response.writeHead(200, { "Content-Type": TYPES[extname(path) || ".html"] }).end(content);
  } catch {
    response.writeHead(404).end();
  }
}
