// Calls as wss:// through Caddy, nginx, Apache and HAProxy, each with the configuration that we ship.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { Caller, request } from "./client.mjs";
import { edit, proxies } from "./proxies.mjs";
import { PING_INTERVAL, Stack, untilWorks } from "./stack.mjs";

const TIMEOUT_MS = 60000 + 5000 * PING_INTERVAL; // of a test that hangs

async function joinBoth(stack, room) {
  const [anna, boris] = await Promise.all([Caller.open(stack), Caller.open(stack)]);
  anna.send({ type: "join", room, user: "anna" });
  boris.send({ type: "join", room, user: "boris" });
  return { anna, boris };
}

async function playCall(stack, room) {
  const { anna, boris } = await joinBoth(stack, room);
  const signal = (from, rest) => ({ room, from, ...rest });
  const pass = async (from, name, to, message) => {
    from.send({ room, ...message });
    assert.deepEqual(await to.next(), signal(name, message));
  };
  await pass(anna, "anna", boris, { type: "offer", sdp: { type: "offer", sdp: "v=0 это предложение" } });
  await pass(boris, "boris", anna, { type: "answer", sdp: "v=0" });
  for (const candidate of [{ candidate: "candidate:1", sdpMid: "0" }, null]) {
    await pass(anna, "anna", boris, { type: "candidate", candidate });
    await pass(boris, "boris", anna, { type: "candidate", candidate });
  }
  for (const caller of [anna, boris]) {
    caller.send({ type: "leave", room });
    assert.equal(await caller.close(4321), 4321);
  }
}

/** The dialects that a request asks for: what they ask by must come through. */
async function playDialects(stack) {
  const two = { protocols: ["homecall.2"] };
  const anna = await Caller.open(stack, two);
  assert.equal(anna.protocol, "homecall.2");
  anna.send({ type: "join", room: "version 2", user: "anna" });
  assert.equal((await anna.next()).type, "joined");
  const boris = await Caller.open(stack, two);
  boris.send({ type: "join", room: "version 2", user: "boris" });
  assert.equal((await boris.next()).peers[0].user, "anna");
  assert.equal((await anna.next()).type, "peer-joined");
  const session = { path: "/signal?sessionId=a%20%D1%81" };
  const [caller, callee] = [await Caller.open(stack, session), await Caller.open(stack, session)];
  caller.send({ type: "offer", sdp: "v=0" });
  assert.deepEqual(await callee.next(), { type: "offer", sessionId: "a с", sdp: "v=0" });
  for (const one of [anna, boris, caller, callee]) {
    await one.close(1000);
  }
}

/** A server in the place of ours, that tells what it is asked: for the time of `use`. */
async function withStandIn(stack, use) {
  const requests = [];
  const standIn = createServer((asked, response) => {
    requests.push(asked);
    response.setHeader("Content-Type", "application/json");
    response.end('{"iceServers":[]}');
  });
  standIn.on("upgrade", (asked, socket) => {
    requests.push(asked);
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  });
  await stack.stopServer();
  try {
    await once(standIn.listen(stack.ports.signal, "127.0.0.1"), "listening");
    await use(requests);
  } finally {
    standIn.close();
    standIn.closeAllConnections?.();
    await stack.startServer();
  }
}

for (const proxy of proxies) {
  describe(proxy.name, () => {
    let stack;
    before(async () => (stack = await Stack.start(proxy)), { timeout: TIMEOUT_MS });
    after(() => stack?.stop(), { timeout: TIMEOUT_MS });
    const it = (name, body) => test(name, { timeout: TIMEOUT_MS }, body);

    it("its own checker finds no fault", async () => {
      const report = await stack.check();
      // Caddy would like a certificate that can be revoked; ours signs itself. Newer versions of nginx have another word for
      // HTTP/2, which that of Debian 12 does not know.
      const lines = report
        .split("\n")
        .filter((line) => !line.includes('"stapling OCSP"') && !line.includes('"listen ... http2" directive is deprecated'));
      assert.doesNotMatch(lines.join("\n"), /warn|error|\bAH\d/i);
    });

    it("a call goes through, with the client's close code", () => playCall(stack, "a call"));

    it("each dialect is asked for and spoken", () => playDialects(stack));

    it("the server's close code comes through", async () => {
      const first = await Caller.open(stack);
      first.send({ type: "join", room: "taken over", user: "anna" });
      const second = await Caller.open(stack);
      second.send({ type: "join", room: "taken over", user: "anna" });
      assert.equal(await first.closed, 4001);
      await second.close();
    });

    it("a message of 64 KiB passes unharmed both ways", async () => {
      const { anna, boris } = await joinBoth(stack, "large");
      const sdp = "я".repeat(32 * 1024);
      anna.send({ type: "offer", sdp });
      assert.equal((await boris.next()).sdp, sdp);
      boris.send({ type: "answer", sdp });
      assert.equal((await anna.next()).sdp, sdp);
      await Promise.all([anna.close(), boris.close()]);
    });

    it("an idle connection lives as long as it answers pings", async () => {
      const caller = await Caller.open(stack);
      await caller.pings(5);
      caller.send({ type: "join", room: "still here" });
      assert.equal((await caller.next()).message, "Invalid message");
      await caller.close();
    });

    it("nothing on the WebSocket is compressed", async () => {
      const caller = await Caller.open(stack, { headers: { "Accept-Encoding": "gzip, br" } });
      assert.equal(caller.extensions, "");
      await caller.close();
    });

    it("a hundred calls of the load generator lose nothing", async () => {
      const { counts } = await stack.bench("call --pairs 10 --candidates 10 --count 100 --reconnect");
      assert.equal(counts.signals, 100 * 22);
    });

    it("more callers than Debian's defaults allow can wait", async () => {
      // From eight addresses, since one may have 64.
      await stack.bench("idle --connections 300 --joined --sources 8 --warmup 0 --seconds 1");
    });

    it("what is no upgrade gets the server's answer", async () => {
      const { status, headers } = await request(stack, "/signal");
      assert.equal(status, 426);
      assert.equal(headers["sec-websocket-version"], "13");
    });

    it("nothing of HTTP/1.1 stands in an answer of HTTP/2", async () => {
      // curl, like browsers, refuses a whole answer for one such header (RFC 9113, 8.2.2).
      for (const [path, status] of [["/signal", 426], ["/signal/", 404], ["/ice", 200], ["/", 200]]) {
        const { code, text } = await stack.curl(path, "-i --http2");
        assert.equal(code, 0, text);
        assert.ok(text.startsWith(`HTTP/2 ${status}`), text);
        assert.doesNotMatch(text, /^(upgrade|connection|keep-alive|transfer-encoding):/im);
      }
    });

    it("a WebSocket inside HTTP/2 works where it is offered", async (t) => {
      const session = connectHttp2(`https://localhost:${stack.ports.https}`, { ca: stack.certificate, family: 4 });
      try {
        await once(session, "remoteSettings");
        if (!session.remoteSettings.enableConnectProtocol) {
          return t.skip("not offered");
        }
        const path = { ":path": "/signal", "sec-websocket-version": "13" };
        const stream = session.request({ ":method": "CONNECT", ":protocol": "websocket", ...path });
        const [response] = await once(stream, "response");
        assert.equal(response[":status"], 200);
        stream.write(Buffer.from("818200000000" + "7b7d", "hex")); // a masked text frame: {}
        const [answer] = await once(stream, "data");
        assert.match(answer.toString(), /"Invalid message"/);
        stream.close();
      } finally {
        session.close();
      }
    });

    it("every file of the page comes as it is, with its type and the headers that keep it safe", async () => {
      const types = {
        html: /^text\/html/,
        js: /^(text|application)\/javascript/,
        mjs: /^(text|application)\/javascript/, // the page of others
        css: /^text\/css/,
        json: /^application\/json/,
        svg: /^image\/svg\+xml/,
        png: /^image\/png/,
        webmanifest: /^application\/manifest\+json/,
      };
      const { page } = stack.ports;
      await writeFile(join(page, "another.mjs"), "export {};");
      const names = (await readdir(page, { recursive: true })).filter((name) => types[name.split(".")[1]]);
      assert.ok(names.length >= 10);
      for (const name of names) {
        const { status, headers, body } = await request(stack, name === "index.html" ? "/" : `/${name}`);
        assert.equal(status, 200, name);
        assert.match(headers["content-type"], types[name.split(".")[1]]);
        assert.equal(headers["cache-control"], "no-cache");
        assert.deepEqual(body, await readFile(join(page, name)), name);
      }
    });

    it("the page's headers are those that its users need", async () => {
      for (const [path, expected] of [["/", 200], ["/nowhere", 404]]) {
        const { status, headers } = await request(stack, path);
        assert.equal(status, expected);
        const policy = headers["content-security-policy"];
        const parts = [
          "default-src 'none'",
          "script-src 'self'",
          "connect-src 'self' wss://localhost;",
          "img-src 'self' data:",
          "worker-src 'self'; child-src 'self'", // Safari 15.4 knows the second only
        ];
        for (const part of parts) {
          assert.ok(policy.includes(part), policy);
        }
        assert.equal(headers["permissions-policy"], "camera=(self), microphone=(self)");
        assert.equal(headers["referrer-policy"], "no-referrer");
        assert.equal(headers["x-content-type-options"], "nosniff");
        assert.equal(headers["strict-transport-security"], "max-age=31536000");
        assert.equal(headers["cache-control"], "no-cache");
      }
    });

    it("http:// leads to https://", async () => {
      for (const path of ["/", "/signal"]) {
        const { status, headers } = await request(stack, path, { secure: false });
        assert.ok([301, 308].includes(status), `${status}`);
        const target = new URL(headers.location);
        assert.equal(`${target.protocol}//${target.hostname}${target.pathname}`, `https://localhost${path}`);
      }
    });

    if (proxy.challenge) {
      it("a question of the certificate authority is answered over http://", async () => {
        const path = "/.well-known/acme-challenge/abc";
        const { webroot, certbot } = stack.ports;
        const standIn = createServer((asked, response) => response.end(`asked for ${asked.url}`));
        if (proxy.challenge === "webroot") {
          await writeFile(join(webroot, path), `asked for ${path}`);
        } else {
          await once(standIn.listen(certbot, "127.0.0.1"), "listening");
        }
        const { status, body } = await request(stack, path, { secure: false });
        standIn.close();
        assert.equal(status, 200);
        assert.equal(body.toString(), `asked for ${path}`);
      });
    }

    it("TLS 1.3 and 1.2 are spoken, 1.1 is not", async () => {
      assert.match((await stack.handshake("-tls1_3")).text, /New, TLSv1\.3/);
      assert.match((await stack.handshake("-tls1_2")).text, /New, TLSv1\.2/);
      // At its usual security level this client would not even ask.
      const old = await stack.handshake("-tls1_1 -cipher DEFAULT@SECLEVEL=0");
      assert.notEqual(old.code, 0);
      assert.match(old.text, /alert protocol version/);
    });

    it("the server sees the caller's address, whatever the caller says", async () => {
      await withStandIn(stack, async (requests) => {
        const headers = {
          "X-Forwarded-For": "192.0.2.1",
          "X-Forwarded-Proto": "http",
          Forwarded: "for=192.0.2.1",
        };
        await assert.rejects(Caller.open(stack, { headers }), /403/);
        const ice = await request(stack, "/ice", { headers });
        assert.equal(ice.status, 200);
        assert.equal(ice.body.toString(), '{"iceServers":[]}');
        assert.deepEqual(requests.map(({ url }) => url), ["/signal", "/ice"]);
        for (const asked of requests) {
          assert.equal(asked.headers["x-forwarded-for"], "127.0.0.1");
          assert.equal(asked.headers["x-forwarded-proto"], "https");
          assert.equal(asked.headers.forwarded, undefined);
          assert.equal(asked.headers.host, `localhost:${stack.ports.https}`);
        }
      });
    });

    it("the page gets its TURN credentials", async () => {
      const ice = await request(stack, "/ice");
      assert.equal(ice.status, 200);
      const { iceServers, ttl } = JSON.parse(ice.body.toString());
      assert.equal(ttl, 12 * 3600);
      assert.deepEqual(iceServers[0].urls, ["turn:turn.example"]);
      assert.match(iceServers[0].username, /^\d+:/);
      assert.equal(ice.headers["cache-control"], "no-store");
    });

    if (proxy.limitsCallers) {
      it("one address may have 64 callers, and one more is told so", async () => {
        // Connections of the tests before may still be counted for a moment.
        await untilWorks(async () => {
          const attempts = await Promise.allSettled(Array.from({ length: 65 }, () => Caller.open(stack)));
          const opened = attempts.filter(({ status }) => status === "fulfilled");
          await Promise.all(opened.map(({ value }) => value.close()));
          assert.equal(opened.length, 64);
          assert.match(attempts.find(({ status }) => status === "rejected").reason.message, /503/);
        });
      });
    }

    it("a server that stops says good-bye, is missed at once, and is found again", async () => {
      const caller = await Caller.open(stack);
      await stack.stopServer();
      assert.equal(await caller.closed, 1001);

      const asked = performance.now();
      await assert.rejects(Caller.open(stack), /50[23]/);
      assert.ok([502, 503].includes((await request(stack, "/ice")).status));
      assert.ok(performance.now() - asked < 2000);
      assert.equal((await request(stack, "/")).status, 200);

      await stack.startServer();
      await playCall(stack, "again");
    });

    it("no log holds a query string or a referer, though it tells of each request", async () => {
      const headers = { Referer: "https://localhost/?room=hush" };
      const caller = await Caller.open(stack, { path: "/signal?x=hush", headers });
      await caller.close();
      // What fails may go into another log.
      await stack.stopServer();
      await request(stack, "/signal?x=hush", { headers, secure: false });
      for (const path of ["/signal", "/ice", "/absent"]) {
        await request(stack, `${path}?x=hush`, { headers });
      }
      const upgraded = proxy.upgradeStatus ?? 101;
      const traces = [["signal", upgraded], ["signal", "50[23]"], ["ice", "50[23]"], ["absent", 404]];
      await untilWorks(async () => {
        const lines = (await stack.logs()).split("\n");
        for (const [path, status] of traces) {
          const trace = new RegExp(`/${path}\\b.*\\b${status}\\b`);
          assert.ok(lines.some((line) => trace.test(line)), `no line has ${trace}`);
        }
      });
      const telltale = (await stack.logs()).split("\n").filter((line) => line.includes("hush"));
      assert.deepEqual(telltale, []);
      await stack.startServer();
    });
  });
}

test("a test changes nothing but what is marked", () => {
  const text = "a 1\n\n# EDIT: a.\na 1\nb 2\n\na 1";
  assert.equal(edit(text, [[/a 1/, "a 3"]]), "a 1\n\n# EDIT: a.\na 3\nb 2\n\na 1");
  assert.throws(() => edit(text, [[/c/, "d"]]), /no marked line/);
});
