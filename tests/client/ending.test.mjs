// How a session ends, and how it is taken up by another page load: leave, close, the token. Sockets and clock are fakes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Fixture, Store, TOKEN, endOf } from "./fakes.mjs";

const OFFER = { type: "offer", sdp: "v=0" };
const signalOf = (seq, more) => ({ type: "signal", seq, from: "a", data: seq, ...more });

describe("leaving", () => {
  test("resolves with left; what was sent before has been taken", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear(signalOf(1));
    const sent = f.client.send(OFFER);
    const end = f.client.leave("bye");
    assert.deepEqual(f.said().at(-1), { type: "leave", text: "bye" });
    assert.equal(f.client.state, "idle");
    assert.equal(await endOf(end), "pending");
    f.told();
    await f.hear(signalOf(2), { type: "left" });
    assert.deepEqual(await Promise.all([end, sent].map(endOf)), ["resolved", "resolved"]);
    assert.deepEqual(f.told(), []);
    assert.equal(f.socket.readyState, 2);
    assert.equal(f.clock.timers, 0);
  });

  test("takes 3 s at most, and tells of what it does not know", async (t) => {
    const f = new Fixture(t);
    await f.join();
    const sent = f.client.send(OFFER);
    const end = f.client.leave();
    await f.clock.advance(2999);
    assert.equal(await endOf(end), "pending");
    await f.clock.advance(1);
    assert.deepEqual(await Promise.all([end, sent].map(endOf)), ["resolved", "lost"]);
    await f.join();
    const other = f.client.leave(); // with nothing under way
    await f.clock.advance(3000);
    assert.equal(await endOf(other), "resolved");
  });

  test("tells of a send that was refused on the way out", async (t) => {
    const f = new Fixture(t);
    await f.join();
    const ends = [1, 2].map((data) => f.client.send({ type: "signal", data }, "gone"));
    const end = f.client.leave();
    await f.hear({ type: "error", seq: 1, code: "no-such-peer", message: "", fatal: false, n: 1 }, { type: "left" });
    assert.deepEqual(await Promise.all([end, ...ends].map(endOf)), ["resolved", "no-such-peer", "resolved"]);
  });

  test("without a connection it is done at once, and said when there is one again", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear(signalOf(1));
    const sent = f.client.send(OFFER);
    f.socket.die();
    assert.deepEqual(await Promise.all([f.client.leave("bye"), sent].map(endOf)), ["resolved", "lost"]);
    assert.equal(f.client.state, "idle");
    f.told();
    await f.clock.advance(500);
    await f.open();
    const [{ type, token, seen }] = f.said();
    assert.deepEqual([type, token, seen], ["join", TOKEN, 1]);
    await f.welcome({ resumed: true });
    assert.deepEqual(f.said().map((message) => [message.type, message.text]), [["leave", "bye"]]);
    await f.hear(signalOf(2), { type: "left" });
    await f.clock.advance(60000);
    assert.deepEqual([f.sockets.length, f.clock.timers, f.told()], [2, 0, []]);
  });

  test("is given up when the session is over, or another one is asked for", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.socket.die();
    f.client.leave();
    for (let waited = 0; waited < 60000; waited += 100) {
      await f.clock.advance(100);
      if (f.socket.readyState === 0) {
        f.socket.die();
      }
    }
    assert.equal(f.clock.timers, 0);
    await f.join();
    const count = f.sockets.length;
    f.socket.die();
    f.client.leave();
    await f.clock.advance(500);
    await f.open();
    await f.hear({ type: "error", code: "room-full", message: "", fatal: false });
    assert.equal(f.clock.timers, 0);
    assert.equal(f.sockets.length, count + 1);
  });

  test("says as much of the text as may be said", async (t) => {
    const f = new Fixture(t);
    for (const [text, said] of [["x".repeat(257), "x".repeat(256)], ["€".repeat(100), "€".repeat(85)], ["", ""]]) {
      await f.join();
      f.client.leave(text);
      assert.equal(f.said()[0].text, said);
      await f.hear({ type: "left" });
    }
  });

  test("acknowledges what it got", async (t) => {
    const f = new Fixture(t);
    await f.join();
    await f.hear(signalOf(1));
    f.client.leave();
    assert.deepEqual(f.said(), [{ type: "leave", ack: 1 }]);
  });
});

describe("the token", () => {
  const kept = (room) => JSON.stringify({ room, token: "kept-kept-kept-kept-kept" });

  test("is in the store only while the page is hidden, without seen", async (t) => {
    const f = new Fixture(t);
    await f.join();
    assert.equal(f.store.text, "");
    f.page.hide();
    assert.deepEqual(JSON.parse(f.store.text), { room: "room", token: TOKEN });
    f.page.hide(false);
    assert.equal(f.store.text, "");
    f.page.tell("pagehide");
    assert.deepEqual(JSON.parse(f.store.text), { room: "room", token: TOKEN });
    f.page.tell("pageshow");
    assert.equal(f.store.text, "");
  });

  test("of a joined that comes while the page is hidden goes there, too", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.page.hide();
    await f.comeBack();
    await f.welcome({ resumed: true, token: "another" });
    assert.equal(JSON.parse(f.store.text).token, "another");
  });

  test("of the last load is taken out at once, and passes the seat on", async (t) => {
    const f = new Fixture(t);
    f.store.setItem("homecall.2", kept("room"));
    await f.dial();
    assert.equal(f.store.text, "");
    await f.open();
    const [join] = f.said();
    assert.equal(join.token, "kept-kept-kept-kept-kept");
    assert.equal("seen" in join || "formerly" in join, false);
  });

  test("of another room is not shown", async (t) => {
    const f = new Fixture(t);
    f.store.setItem("homecall.2", kept("other"));
    await f.dial();
    await f.open();
    assert.equal("token" in f.said()[0], false);
  });

  test("is kept by close, not by leave", async (t) => {
    const f = new Fixture(t);
    await f.join();
    f.client.close();
    assert.equal(JSON.parse(f.store.text).token, TOKEN);
    assert.deepEqual(f.told("closed"), [["closed", { code: 1000, error: null }]]);
    f.client.join("room");
    assert.equal(f.store.text, "");
    await f.clock.advance(0);
    await f.open();
    assert.equal(f.said()[0].token, TOKEN);
    await f.welcome();
    f.page.hide();
    f.client.leave();
    assert.equal(f.store.text, "");
  });

  test("is known to the next join of the same client, also without a store", async (t) => {
    const f = new Fixture(t);
    await f.join({ store: null });
    f.client.close();
    f.client.join("room").catch(() => {});
    await f.clock.advance(0);
    await f.open();
    const [{ token, seen }] = f.said();
    assert.deepEqual([token, seen], [TOKEN, undefined]);
    f.client.close();
    f.client.leave();
    f.client.join("room").catch(() => {});
    await f.clock.advance(0);
    await f.open();
    assert.equal(f.said()[0].token, undefined);
  });

  test("a store that throws, or has something else, is as none", async (t) => {
    const f = new Fixture(t);
    f.store.setItem("homecall.2", "no JSON");
    await f.join();
    f.page.hide();
    const broken = new Store();
    broken.getItem = broken.setItem = broken.removeItem = () => {
      throw new Error("forbidden");
    };
    f.client.close();
    await f.join({ store: broken });
    f.page.hide();
    assert.equal(f.client.state, "joined");
  });
});
