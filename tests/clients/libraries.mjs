// The client libraries that people use, and what each of them does by itself: one row for each.
//
//   name, packages    what to call it, and what brings it
//   probe             a command that succeeds where it is there
//   build             what must be done before a user of it can run; gets a directory for the results
//   run               the command of a user of it
//   offersDeflate     its request offers permessage-deflate; where a library does so on demand, its user demands it
//   namesItsOrigin    it sends the server's own address as Origin when nobody has told it one
//   tellsStatus       a refused user learns the HTTP status
//   insistsOnSubprotocol  it gives up when it has offered subprotocols and none is chosen, as browsers do
//
// Browsers are not among them: tests/browser has two on a call.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const USERS = fileURLToPath(new URL("users", import.meta.url));
const BUILD = fileURLToPath(new URL("../../build/clients", import.meta.url));
/** Debian's, which has Debian's modules: another one may come before it in PATH. */
const PYTHON = "/usr/bin/python3";
const GO_ENVIRONMENT = { GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOFLAGS: "", GOCACHE: join(BUILD, "go") };
const jars = (...names) => names.map((name) => `/usr/share/java/${name}.jar`).join(":");
const OKHTTP = jars("okhttp", "okio");
/** The compiler of the package ecj. Its own command does not find it in Debian 13, where it lies in the second jar. */
const ECJ_JARS = jars("eclipse-jdt-core", "eclipse-jdt-core-compiler-batch");
const ECJ = ["java", "-cp", ECJ_JARS, "org.eclipse.jdt.internal.compiler.batch.Main"];
const ECJ_OPTIONS = ["-proc:none", "-source", "11", "-target", "11", "-cp", OKHTTP];

function python(name, packages, script, imports, row) {
  return { name, packages, probe: [PYTHON, "-c", imports], run: () => [PYTHON, join(USERS, script)], ...row };
}

function node(name, script, row) {
  const probe = [process.execPath, "--input-type=module", "-e", `await import("${name}")`];
  return { name, packages: `${name} of npm`, probe, run: () => [process.execPath, join(USERS, script)], ...row };
}

export const libraries = [
  python("websockets", "python3-websockets", "python_websockets.py", "import websockets", {
    offersDeflate: true,
    tellsStatus: true,
  }),
  python("websocket-client", "python3-websocket", "python_websocket_client.py", "import websocket", {
    namesItsOrigin: true,
    tellsStatus: true,
    insistsOnSubprotocol: true,
  }),
  python("aiohttp", "python3-aiohttp", "python_aiohttp.py", "import aiohttp", {
    offersDeflate: true,
    tellsStatus: true,
  }),
  python("tornado", "python3-tornado", "python_tornado.py", "import tornado", {
    offersDeflate: true,
    tellsStatus: true,
  }),
  python(
    "libsoup",
    "gir1.2-soup-3.0 and python3-gi",
    "python_soup.py",
    'import gi; gi.require_version("Soup", "3.0"); from gi.repository import Soup',
    { offersDeflate: true, tellsStatus: true },
  ),
  {
    name: "gorilla/websocket",
    packages: "golang-go and golang-github-gorilla-websocket-dev",
    probe: ["go", "list", "github.com/gorilla/websocket"],
    environment: GO_ENVIRONMENT,
    build: (directory) => ["go", "build", "-o", join(directory, "go_gorilla"), join(USERS, "go_gorilla.go")],
    run: (directory) => [join(directory, "go_gorilla")],
    offersDeflate: true,
    tellsStatus: true,
  },
  {
    name: "OkHttp",
    packages: "libokhttp-java, default-jre-headless and ecj",
    probe: ["sh", "-c", `"$@" && ls ${OKHTTP.replace(":", " ")}`, "sh", ...ECJ, "-version"],
    build: (directory) => [...ECJ, ...ECJ_OPTIONS, "-d", directory, join(USERS, "OkHttpUser.java")],
    run: (directory) => ["java", "-cp", `${OKHTTP}:${directory}`, "OkHttpUser"],
    tellsStatus: true,
  },
  node("ws", "node_ws.mjs", { offersDeflate: true, tellsStatus: true, insistsOnSubprotocol: true }),
  node("undici", "node_undici.mjs", { offersDeflate: true, insistsOnSubprotocol: true }),
];

/** Run a command to its end, in the library's environment. Rejects with what it says where it fails. */
export function run([program, ...args], library) {
  const options = { cwd: fileURLToPath(new URL(".", import.meta.url)), env: { ...process.env, ...library.environment } };
  return execute(program, args, options);
}

/** Why the library's tests can't run here, in a few words; false where they can. */
export async function whyMissing(library) {
  return run(library.probe, library).then(
    () => false,
    () => `it takes ${library.packages}`,
  );
}
