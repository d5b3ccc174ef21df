// A caller over wss://, and plain requests, for tests: both trust the certificate of the stack and no other.

import { once } from "node:events";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";

import WebSocket from "ws";

/** The certificate is for this name; IPv4, because the proxies under test listen on 127.0.0.1. */
const localhost = (stack) => ({ host: "localhost", family: 4, ca: stack.certificate });

/** One request without a connection to keep: { status, headers, body }. `secure: false` speaks plain HTTP. */
export async function request(stack, path, { secure = true, headers = {}, method = "GET" } = {}) {
  const send = secure ? requestTls : requestPlain;
  const port = secure ? stack.ports.https : stack.ports.http;
  const sent = send({ ...localhost(stack), port, path, method, headers, agent: false }).end();
  const [response] = await once(sent, "response");
  const chunks = [];
  for await (const chunk of response) {
    chunks.push(chunk);
  }
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

export class Caller {
  #socket;
  #arrived = [];
  #waiting = [];
  /** The close code, once there is one. */
  closed;

  /** Rejects with the HTTP status in its message where the upgrade is refused. */
  static async open(stack, { path = "/signal", headers = {}, protocols = [] } = {}) {
    const caller = new Caller();
    const url = `wss://localhost:${stack.ports.https}${path}`;
    caller.#socket = new WebSocket(url, protocols, { ...localhost(stack), headers });
    caller.closed = once(caller.#socket, "close").then(([code]) => code);
    caller.closed.catch(() => {}); // "error" tells it first
    caller.#socket.on("message", (data, isBinary) => caller.#onMessage(isBinary ? data : JSON.parse(data)));
    await once(caller.#socket, "open");
    return caller;
  }

  #onMessage(message) {
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting(message);
    } else {
      this.#arrived.push(message);
    }
  }

  /** What the handshake agreed on, as in "permessage-deflate". */
  get extensions() {
    return this.#socket.extensions;
  }

  get protocol() {
    return this.#socket.protocol;
  }

  send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  async next() {
    return this.#arrived.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  async pings(count) {
    for (let i = 0; i < count; i++) {
      await once(this.#socket, "ping");
    }
  }

  async close(code = 1000) {
    this.#socket.close(code);
    return this.closed;
  }
}
