// How the client comes back, and how it notices that its line is dead. Sockets and clock are fakes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Fixture, endOf } from "./fakes.mjs";

const OFFER = { type: "offer", sdp: "v=0" };

describe("the next attempt", () => {
  test("waits for any time below a bound that doubles from 0.5 s to 15 s", async (t) => {
    const f = new Fixture(t);
    await f.dial();
    for (const random of [0, 0.999]) {
      Math.random = () => random;
      f.client.close();
      f.client.join("room").catch(() => {});
      await f.clock.advance(0);
      f.told();
      const waits = [];
      for (let i = 0; i < 8; i++) {
        f.socket.die();
        waits.push(f.told("state")[0][1].retryInMs);
        await f.clock.advance(waits.at(-1));
      }
      const bounds = [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000];
      assert.deepEqual(waits, bounds.map((bound) => bound * random));
    }
  });

  test("begins anew after a line that stood for 5 s, not after a shorter one", async (t) => {
    const f = new Fixture(t);
    await f.join();
    for (const [stood, wait] of [[5000, 250], [4999, 500], [4999, 1000], [5000, 250]]) {
      await f.clock.advance(stood);
      f.told();
      await f.comeBack();
      assert.equal(f.told("state")[0][1].retryInMs, wait);
      await f.welcome({ resumed: true });
    }
  });

  test("may be the application's to tell", async (t) => {
    const f = new Fixture(t);
    const asked = [];
    await f.dial({ backoff: (attempt) => (asked.push(attempt), 7) });
    f.socket.die();
    await f.clock.advance(7);
    f.socket.die();
    assert.deepEqual([asked, f.sockets.length], [[0, 1], 2]);
  });

  test("is not before the time that goaway tells, also on waking", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear({ type: "goaway", reason: "restart", retryAfterMs: 3000 });
    f.socket.die(1012);
    f.page.tell("online");
    await f.clock.advance(2999);
    assert.equal(f.sockets.length, 1);
    await f.clock.advance(1);
    assert.equal(f.sockets.length, 2);
  });

  test("is made after any close but 4500 to 4999", async (t) => {
    for (const [code, comes] of [[1000, 2], [1006, 2], [1012, 2], [4000, 2], [4499, 2], [4500, 1], [4999, 1]]) {
      const f = new Fixture(t);
      await f.join();
      f.socket.die(code);
      await f.clock.advance(1000);
      assert.equal(f.sockets.length, comes, `after ${code}`);
      assert.equal(f.client.state, comes === 2 ? "resuming" : "closed");
      f.client.close();
      f.page.restore();
      f.clock.restore();
    }
  });

  for (const type of ["online", "pageshow", "visibilitychange", "resume"]) {
    test(`is made at once on ${type}`, async (t) => {
      const f = new Fixture(t);
      await f.join();
      f.socket.die();
      f.page.tell(type);
      await f.clock.advance(0);
      assert.equal(f.sockets.length, 2);
      await f.clock.advance(9000);
      assert.equal(f.sockets.length, 2); // the timer does not dial again
    });
  }

  test("asks a function for the address each time, and waits when there is none", async (t) => {
    const f = new Fixture(t);
    const answers = [
      () => Promise.reject(new Error("offline")),
      () => {
        throw new Error("offline");
      },
      () => new URL("https://call.example/signal?ticket=1"),
    ];
    await f.dial({}, () => answers.shift()());
    await f.clock.advance(2000);
    assert.deepEqual(f.sockets.map(({ url }) => url), ["wss://call.example/signal?ticket=1"]);
  });

  test("is not made to what is no address", async (t) => {
    const f = new Fixture(t);
    await f.dial({}, "bad address");
    assert.equal(await endOf(f.joined), "invalid");
    assert.equal(f.client.state, "closed");
  });

  test("is the last one when giveUpAfterMs is over; a session sets it back", async (t) => {
    const f = new Fixture(t);
    await f.join({ giveUpAfterMs: 1000, backoff: () => 400 });
    await f.clock.advance(20000);
    const end = f.client.send(OFFER);
    f.socket.die();
    await f.clock.advance(400);
    f.socket.die();
    await f.clock.advance(400);
    assert.equal(f.client.state, "resuming");
    f.socket.die();
    assert.equal(f.client.state, "closed");
    assert.equal(await endOf(end), "lost");
    assert.equal(f.told("closed")[0][1].error.code, "lost");
    assert.equal(f.clock.timers, 0);
  });

  test("a socket that was given up is not heard any more", async (t) => {
    const f = new Fixture(t);
    await f.join();
    const [old] = f.sockets;
    await f.comeBack();
    old.hear({ type: "signal", seq: 1, from: "a", data: 1 });
    old.die(4501);
    assert.equal(f.client.state, "resuming");
    assert.deepEqual(f.told("signal"), []);
  });

  test("works without a page", async (t) => {
    const f = new Fixture(t, { hasPage: false });
    await f.join();
    await f.comeBack();
    await f.welcome({ resumed: true });
    assert.equal(f.client.state, "joined");
  });
});

describe("a dead line is noticed", () => {
  /** Lost just when `ms` are over. */
  async function expectLossAfter(f, ms) {
    await f.clock.advance(ms - 1);
    assert.deepEqual(f.told("state"), []);
    await f.clock.advance(1);
    assert.equal(f.told("state")[0]?.[1].previous, "joined");
    assert.equal(f.socket.readyState, 2);
  }

  test("when a signal is not acknowledged for 3 s", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.client.send(OFFER);
    await expectLossAfter(f, 3000);
  });

  test("when the oldest of several is not", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.client.send(OFFER);
    await f.clock.advance(1000);
    f.client.send(OFFER);
    await expectLossAfter(f, 2000);
  });

  test("3 s after the last acknowledgement while others wait: a slow line is not dead", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.client.send(OFFER);
    f.client.send(OFFER);
    f.client.send(OFFER, "gone");
    await f.clock.advance(2500);
    await f.hear({ type: "ack", ack: 1 });
    await f.clock.advance(2500);
    await f.hear({ type: "error", seq: 1, code: "no-such-peer", message: "", fatal: false, n: 3 });
    f.told();
    await expectLossAfter(f, 3000);
  });

  test("not when all are", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.client.send(OFFER);
    await f.hear({ type: "ack", ack: 1 });
    await f.clock.advance(20000);
    assert.equal(f.client.state, "joined");
  });

  test("when a signal that was said again is not, counted from then", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.client.send(OFFER);
    await f.comeBack();
    await f.welcome({ resumed: true });
    f.told();
    await expectLossAfter(f, 3000);
  });

  test("when there is silence for two ticks and 10 s", async (t) => {
    const f = new Fixture(t);
    await f.join({}, { tick: 7 });
    await f.clock.advance(20000);
    await f.hear({ type: "tick" });
    await expectLossAfter(f, 24000);
  });

  test("when there is another network: nothing is asked, which would take 3 s", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.page.tell("online");
    await f.clock.advance(0);
    assert.equal(f.sockets.length, 2);
    assert.equal(f.sockets[0].readyState, 2);
    await f.open();
    await f.welcome({ resumed: true });
    assert.deepEqual(f.told("resumed").length, 1);
  });

  for (const type of ["pageshow", "visibilitychange", "resume"]) {
    test(`when a ping on ${type} has no pong for 3 s`, async (t) => {
      const f = new Fixture(t);
      await f.join();
      f.page.tell(type);
      assert.deepEqual(f.said(), [{ type: "ping" }]);
      await f.clock.advance(2000);
      f.page.tell(type); // the first one counts
      await f.hear({ type: "tick" });
      await expectLossAfter(f, 1000);
    });
  }

  test("not when the pong comes", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.page.tell("pageshow");
    await f.clock.advance(2999);
    await f.hear({ type: "pong" });
    await f.clock.advance(20000);
    assert.equal(f.client.state, "joined");
  });

  test("when the page wakes before the close is told", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.socket.readyState = 3;
    f.page.tell("pageshow");
    await f.clock.advance(0);
    assert.equal(f.sockets.length, 2);
  });

  test("when it does not open for 10 s", async (t) => {
    const f = new Fixture(t);
    await f.dial();
    await f.clock.advance(9999);
    assert.equal(f.told("state").length, 1);
    await f.clock.advance(251);
    assert.equal(f.sockets.length, 2);
  });

  test("when joined does not come for 10 s to who comes back", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.comeBack();
    f.told();
    await f.clock.advance(9999);
    assert.deepEqual(f.told("state"), []);
    await f.clock.advance(1);
    assert.equal(f.told("state").length, 1);
  });

  test("but a newcomer who is held before a full room waits, as long as there are ticks", async (t) => {
    const f = new Fixture(t);
    await f.dial();
    await f.open();
    f.told();
    for (let i = 0; i < 4; i++) {
      await f.clock.advance(25000);
      await f.hear({ type: "tick" });
    }
    await f.clock.advance(59999);
    assert.deepEqual(f.told("state"), []);
    await f.clock.advance(1);
    assert.equal(f.told("state").length, 1);
  });

  test("an attempt is made again when the network comes back in the middle of it", async (t) => {
    const f = new Fixture(t);
    await f.dial();
    f.page.tell("resume");
    await f.clock.advance(0);
    assert.equal(f.sockets.length, 1);
    f.page.tell("online");
    await f.clock.advance(0);
    assert.equal(f.sockets.length, 2);
  });

  test("a timer that is late after sleep proves nothing: a ping asks", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.client.send(OFFER);
    f.said();
    await f.clock.sleep(3600000);
    assert.equal(f.client.state, "joined");
    assert.deepEqual(f.said(), [{ type: "ping" }]);
    await f.clock.advance(3000);
    assert.equal(f.client.state, "resuming");
  });

  test("what is no JSON, or no object, is a loss", async (t) => {
    for (const data of ["<html>", "null"]) {
      const f = new Fixture(t);
      await f.join();
      f.socket.dispatchEvent(Object.assign(new Event("message"), { data }));
      assert.equal(f.client.state, "resuming");
      f.client.close();
      f.page.restore();
      f.clock.restore();
    }
  });

  test("when somebody asks, and a ping has no pong for 3 s", async (t) => {
    const f = new Fixture(t);
    f.create();
    f.client.check(); // there is nothing to ask
    await f.join();
    f.client.check();
    assert.deepEqual(f.said(), [{ type: "ping" }]);
    await expectLossAfter(f, 3000);
    f.client.check();
    await f.clock.advance(0);
    assert.equal(f.sockets.length, 2);
  });

  test("a ping of the server is answered", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear({ type: "ping" });
    assert.deepEqual(f.said(), [{ type: "pong" }]);
  });
});
