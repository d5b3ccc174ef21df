// The server behind a proxy with the configuration that we ship, on free ports of 127.0.0.1 and in a temporary directory,
// for the time of a test. Nothing of the system's own proxies is touched.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { edit } from "./proxies.mjs";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const SERVER = process.env.HOMECALL_SIGNAL_BINARY ?? join(PROJECT, "build/release/homecall-signal");
const BENCH = process.env.HOMECALL_BENCH_BINARY ?? join(PROJECT, "build/release/bench/homecall-bench");
export const PAGE = join(PROJECT, "deploy/pwa");
/** In seconds, far shorter than anybody would set it. `PING_INTERVAL=25 node --test --test-name-pattern=idle` shows in nine
 * minutes that the proxies' time-outs are above the server's own. */
export const PING_INTERVAL = Number(process.env.PING_INTERVAL ?? 1);
const PATIENCE_MS = 10000;
const POLL_MS = 20;

const execute = promisify(execFile);

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}

/** Wait for what `attempt` promises, asking again while it rejects. */
export async function untilWorks(attempt) {
  const deadline = AbortSignal.timeout(PATIENCE_MS);
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

/** A certificate for localhost that signs itself, as `directory`/cert.pem and key.pem; returned as PEM. */
export async function makeCertificate(directory) {
  await execute(
    "openssl",
    ("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost " +
      "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem").split(" "),
    { cwd: directory },
  );
  const [cert, key] = await Promise.all(["cert.pem", "key.pem"].map((name) => readFile(join(directory, name), "utf8")));
  return { cert, key };
}

async function knock(port) {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.destroy();
}

/** A child in the foreground. `output` gathers what it says. */
class Process {
  #child;
  output = "";

  constructor(commandLine, options) {
    const [program, ...args] = commandLine;
    this.#child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    }
  }

  async listensOn(port) {
    const ended = once(this.#child, "exit").then(([code]) => {
      throw new Error(`${this.#child.spawnfile} ended at its start with ${code}:\n${this.output}`);
    });
    ended.catch(() => {}); // a later end is the test's business
    await Promise.race([untilWorks(() => knock(port)), ended]);
  }

  async end() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill("SIGTERM");
      await once(this.#child, "exit");
    }
  }
}

export class Stack {
  #proxy; // the row of proxies.mjs
  #place;
  #options; // for children
  #server;
  #others = [];
  /** What to trust, as PEM. */
  certificate;

  /** `page` is the directory of another page than ours, `environment` what is set for the proxy besides. */
  static async start(proxy, { page = PAGE, environment = {} } = {}) {
    const stack = new Stack();
    try {
      await stack.#prepare(proxy, page, environment);
      await stack.startServer();
      await stack.#startProxy();
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  get ports() {
    return this.#place;
  }

  async #prepare(proxy, page, extra) {
    const directory = await mkdtemp(join(tmpdir(), "homecall-proxy-"));
    this.#proxy = proxy;
    this.#place = { directory, page: join(directory, "pwa"), webroot: join(directory, "webroot") };
    for (const name of ["http", "https", "signal", "files", "certbot"]) {
      this.#place[name] = await freePort();
    }
    await chmod(directory, 0o755); // Apache's children are another user's when we are root
    await mkdir(join(directory, "log"));
    await mkdir(join(directory, "certs"));
    await mkdir(join(this.#place.webroot, ".well-known/acme-challenge"), { recursive: true });
    await cp(page, this.#place.page, { recursive: true });
    const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, HOME: directory };
    // Its own directory as the current one: no .env of the developer's takes part.
    this.#options = { cwd: directory, env: { ...environment, ...proxy.environment?.(this.#place), ...extra } };
    await this.#makeCertificate();
    await this.#configure();
  }

  async #makeCertificate() {
    const { directory } = this.#place;
    const { cert, key } = await makeCertificate(directory);
    this.certificate = cert;
    await writeFile(join(directory, "certs/localhost.pem"), cert + key, { mode: 0o600 });
  }

  async #configure() {
    const { surroundings, pageServer } = this.#proxy;
    const ours = await this.#edit(this.#proxy);
    if (pageServer) {
      await this.#edit(pageServer);
    }
    for (const [name, text] of Object.entries(surroundings?.(this.#place, ours) ?? {})) {
      await writeFile(join(this.#place.directory, name), text);
    }
  }

  /** Make the changes in the file that we ship. Returns it as it was. */
  async #edit({ folder = "proxy", file, changes, isWholeFree }) {
    const ours = await readFile(join(PROJECT, "deploy", folder, file), "utf8");
    await writeFile(join(this.#place.directory, file), edit(ours, changes(this.#place), isWholeFree));
    return ours;
  }

  /** What the proxy's own checker says; rejects if it finds a fault. */
  async check() {
    const [program, ...args] = this.#proxy.check(this.#place);
    const { stdout, stderr } = await execute(program, args, this.#options);
    return stdout + stderr;
  }

  async #startProxy() {
    if (this.#proxy.pageServer) {
      const files = new Process(this.#proxy.pageServer.run(this.#place), this.#options);
      this.#others.push(files);
      await files.listensOn(this.#place.files);
    }
    const proxy = new Process(this.#proxy.run(this.#place), this.#options);
    this.#others.push(proxy);
    await proxy.listensOn(this.#place.https);
    await proxy.listensOn(this.#place.http);
  }

  /** Start the server; again on the same port after stopServer(). */
  async startServer() {
    const environment = {
      ...this.#options.env,
      WS_HOST: "127.0.0.1",
      WS_PORT: String(this.#place.signal),
      ADMIN_PORT: "0",
      PING_INTERVAL: String(PING_INTERVAL),
      PONG_TIMEOUT: "1",
      MESSAGE_RATE: "0",
      TRUSTED_PROXIES: "127.0.0.1",
      TURN_URLS: "turn:turn.example",
      TURN_SECRET: "of the test",
    };
    this.#server = new Process([SERVER], { ...this.#options, env: environment });
    await this.#server.listensOn(this.#place.signal);
  }

  async stopServer() {
    await this.#server.end();
  }

  /** Run the load generator against wss:// until its end; rejects if a signal is lost or altered. Returns its result. */
  async bench(options) {
    const url = `wss://localhost:${this.#place.https}/signal`;
    const args = [...options.split(" "), "--ca-file", "cert.pem", "--quiet", "--json", "-", url];
    const { stdout } = await execute(BENCH, args, this.#options);
    return JSON.parse(stdout);
  }

  /** A handshake by `openssl s_client`: { code, text }. */
  async handshake(options) {
    const place = `-connect 127.0.0.1:${this.#place.https} -servername localhost -CAfile cert.pem -verify_return_error`;
    return this.#outcome("openssl", ["s_client", ...`${place} ${options}`.split(" ")]);
  }

  /** An answer over https:// as curl has it: { code, text }. */
  async curl(path, options) {
    const place = `--silent --show-error --max-time 10 --ipv4 --cacert cert.pem https://localhost:${this.#place.https}${path}`;
    return this.#outcome("curl", `${options} ${place}`.split(" "));
  }

  /** What a program says, to its end, and with what code it ends: { code, text }. */
  async #outcome(program, args) {
    const running = execute(program, args, this.#options);
    running.child.stdin.end();
    return running.then(
      ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
      ({ code, stdout, stderr }) => ({ code, text: stdout + stderr }),
    );
  }

  /** All that the proxy has logged, wherever. */
  async logs() {
    const directory = join(this.#place.directory, "log");
    const names = await readdir(directory);
    const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
    return [...this.#others.map((process) => process.output), ...texts].join("\n");
  }

  async stop() {
    await Promise.all([this.#server, ...this.#others].filter(Boolean).map((process) => process.end()));
    if (this.#place) {
      await rm(this.#place.directory, { recursive: true, force: true });
    }
  }
}
