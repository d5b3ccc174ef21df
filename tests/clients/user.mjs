// One user of a library: a program of its own, which the test orders about by lines.
//
//   to its standard input     send BASE64    send this text
//                             close CODE     begin the closing handshake
//   from its standard output  open           the handshake has succeeded
//                             failed STATUS  it has not, with this HTTP status; "-" where the library does not say
//                             text BASE64    a text has come
//                             close CODE     the connection is closed, by the server's close frame with this code
//
// Afterwards the test ends the input, and the program ends by itself. Everything else, pings above all, is the
// library's own business.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const PATIENCE_MS = 15000;

export class User {
  #name;
  #child;
  #lines;
  #errors = "";

  constructor(name, [program, ...args], { url, origin = "", subprotocol = "" }) {
    this.#name = name;
    this.#child = spawn(program, [...args, url, origin, subprotocol], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdin.on("error", () => {}); // it has ended: what it says last tells more
    this.#child.stderr.setEncoding("utf8").on("data", (text) => (this.#errors += text));
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** What the program says next, word by word. */
  async next() {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${this.#name} says nothing more:\n${this.#errors}`)), PATIENCE_MS);
    });
    const { value, done } = await Promise.race([this.#lines.next(), late]).finally(() => clearTimeout(timer));
    assert.ok(!done, `${this.#name} has ended:\n${this.#errors}`);
    return value.split(" ");
  }

  async expect(...line) {
    assert.deepEqual(await this.next(), line, `what ${this.#name} says`);
  }

  /** The next text. */
  async text() {
    const [word, argument] = await this.next();
    assert.equal(word, "text", `${this.#name} says ${word} ${argument}`);
    return Buffer.from(argument, "base64").toString();
  }

  send(message) {
    const text = typeof message === "string" ? message : JSON.stringify(message);
    this.#child.stdin.write(`send ${Buffer.from(text).toString("base64")}\n`);
  }

  close(code) {
    this.#child.stdin.write(`close ${code}\n`);
  }

  /** The program must end by itself, and be content. */
  async ends() {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) {
      await once(this.#child, "exit", { signal: AbortSignal.timeout(PATIENCE_MS) });
    }
    assert.equal(this.#child.exitCode, 0, this.#errors);
  }

  /** For the end of a test, whatever has happened in it. */
  kill() {
    this.#child.kill("SIGKILL");
  }
}
