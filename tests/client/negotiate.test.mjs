// Perfect negotiation, with connections that know no media. What real browsers do with it is for tests with browsers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Call, settled } from "./fake_call.mjs";
import { Clock } from "./fakes.mjs";

/** A clock that stands, and what happens in a time. */
function stopClock(t) {
  const clock = new Clock();
  t.after(() => clock.restore());
  return async (ms) => {
    await settled();
    await clock.advance(ms);
    await settled();
  };
}

test("one end offers, the other answers; who is polite waits a second for the first offer", async (t) => {
  const pass = stopClock(t);
  for (const [end, ms] of [["a", 0], ["b", 1000]]) {
    const call = new Call(t);
    call[end].addTrack();
    if (ms > 0) {
      await pass(ms - 1);
      assert.deepEqual(call.offers(), []);
    }
    await pass(1);
    call.expectAgreement();
    assert.deepEqual(call.offers(), [end]);
    call[end].addTrack(); // later there is nothing to wait for
    await pass(0);
    assert.deepEqual(call.offers(), [end]);
  }
});

test("when offers cross, the higher order takes its own back", async (t) => {
  for (const [orders, polite] of [[[1, 2], "b"], [[9, 4], "a"]]) {
    const call = new Call(t, { orders });
    const other = polite === "a" ? "b" : "a";
    call[other].addTrack();
    await settled();
    call[polite].log.splice(0);
    call[other].log.splice(0);
    call.a.addTrack();
    call.b.addTrack();
    await settled();
    call.expectAgreement();
    assert.ok(call[polite].log.includes("have-remote-offer"));
    assert.deepEqual(call[other].log.slice(0, 2), ["have-local-offer", "stable"]);
  }
});

test("version 2 is polite to version 1, and options may tell", async (t) => {
  const call = new Call(t, { orders: [1, 2], versions: [2, 1], options: [{}, { polite: false }] });
  call.b.addTrack();
  await settled();
  call.offers();
  call.a.addTrack();
  call.b.addTrack();
  await settled();
  call.expectAgreement();
  assert.equal(call.a.log.filter((state) => state === "have-remote-offer").length, 2);
});

test("one of version 1 has the first word: an offer of ours waits for 2.5 s", async (t) => {
  const pass = stopClock(t);
  const call = new Call(t, { versions: [2, 1] });
  call.a.addTrack();
  await pass(2499);
  assert.deepEqual(call.offers(), []);
  await pass(1);
  assert.deepEqual(call.offers(), ["a"]);
  call.expectAgreement();
});

test("and is not made when the other one has come", async (t) => {
  const pass = stopClock(t);
  const call = new Call(t, { versions: [2, 1], options: [{}, { polite: false }] });
  call.a.addTrack();
  await pass(1500);
  call.b.addTrack();
  await pass(0);
  call.expectAgreement();
  await pass(10000);
  assert.deepEqual(call.offers(), ["b"]);
});

test("a candidate of version 1 may be a text", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  const taken = [];
  call.a.addIceCandidate = async (candidate) => taken.push(candidate);
  for (const candidate of ["candidate:1", null]) {
    call.tell("a", "signal", { from: call.peers.b, signal: { type: "candidate", candidate } });
  }
  await settled();
  assert.deepEqual(taken, [{ candidate: "candidate:1", sdpMLineIndex: 0 }, undefined]);
});

test("a description of version 1 may be a text", async (t) => {
  const call = new Call(t);
  const from = call.peers.b;
  call.tell("a", "signal", { from, signal: { type: "offer", sdp: "text of b" } });
  await settled();
  assert.deepEqual(call.a.remoteDescription, { type: "offer", sdp: "text of b" });
});

test("both may offer again later, also at once", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  for (let i = 0; i < 3; i++) {
    call.a.addTrack();
    call.b.addTrack();
    await settled();
    call.expectAgreement();
  }
});

for (const state of ["disconnected", "failed"]) {
  test(`ICE restarts when it is ${state}, and the line is looked after`, async (t) => {
    for (const ends of [["a"], ["b"], ["a", "b"]]) {
      const call = new Call(t);
      call.a.addTrack();
      await settled();
      const before = call.a.localDescription.sdp;
      call.sent.splice(0);
      ends.forEach((end) => call[end].fail(state));
      await settled();
      call.expectAgreement();
      assert.notEqual(call.a.localDescription.sdp, before);
      assert.deepEqual(call.sent.filter(([, type]) => type === "check").map(([who]) => who), ends);
    }
  });
}

test("ICE restarts when the network is back, not before there is anything to restart", async (t) => {
  const page = new EventTarget();
  globalThis.addEventListener = page.addEventListener.bind(page);
  globalThis.removeEventListener = page.removeEventListener.bind(page);
  t.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  });
  const call = new Call(t);
  page.dispatchEvent(new Event("online"));
  assert.equal(call.a.restarts, 0);
  call.a.addTrack();
  await settled();
  const before = call.a.localDescription.sdp;
  page.dispatchEvent(new Event("online"));
  await settled();
  call.expectAgreement();
  assert.notEqual(call.a.localDescription.sdp, before);
  call.negotiations.forEach((negotiation) => negotiation.stop());
  const { restarts } = call.a;
  page.dispatchEvent(new Event("online"));
  assert.equal(call.a.restarts, restarts);
});

test("after a fresh join of one end the lower order restarts ICE, under the new id", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  call.offers();
  const before = call.b.localDescription.sdp;
  call.join("a", 3);
  await settled();
  assert.deepEqual(call.offers(), ["b"]);
  assert.notEqual(call.b.localDescription.sdp, before);
  call.expectAgreement();
});

test("after a restart of the server, where both have new ids", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  call.offers();
  call.peers.b = { ...call.peers.b, id: "gone" }; // b has not come back yet when a does
  call.clients.a.peers.clear();
  call.peers.a = { id: "a2", order: 1, version: 2, formerly: "a1" };
  call.tell("a", "joined", { peers: call.clients.a.peers, isResumed: false });
  await settled();
  assert.deepEqual(call.offers(), []);
  call.peers.b = { ...call.peers.b, id: "b1" };
  call.join("b", 2);
  await settled();
  assert.deepEqual(call.offers(), ["a"]);
  call.expectAgreement();
});

test("an offer that was lost with the session is taken back and made again", async (t) => {
  for (const lost of ["a", "b"]) {
    const call = new Call(t);
    call.a.addTrack();
    await settled();
    call.lines[lost] = false;
    call[lost].addTrack();
    await settled();
    assert.equal(call[lost].signalingState, "have-local-offer");
    call.join(lost, 7);
    await settled();
    call.expectAgreement();
  }
});

test("an answer to an earlier offer is none to this one", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  const stale = call.b.localDescription;
  call.lines.a = false;
  call.a.addTrack();
  await settled();
  const from = call.peers.b;
  call.tell("a", "signal", { from, signal: { type: "answer", sdp: { ...stale, inReplyTo: "a 1" } } });
  await settled();
  assert.equal(call.a.signalingState, "have-local-offer");
  call.join("a", 7);
  await settled();
  call.expectAgreement();
});

test("an offer that can't be taken is made again", async (t) => {
  const pass = stopClock(t);
  for (const [refusing, type] of [["b", "offer"], ["a", "answer"]]) {
    const call = new Call(t);
    call[refusing].refusals = [type, type];
    call.a.addTrack();
    await pass(2999);
    assert.deepEqual(call.offers(), ["a"]);
    assert.match(call.warnings.join(), new RegExp(`no ${type}`));
    await pass(1);
    assert.deepEqual(call.offers(), ["a"]);
    await pass(3000);
    assert.deepEqual(call.offers(), ["a"]);
    call.warnings.splice(0);
    call.expectAgreement();
    await pass(60000);
    assert.deepEqual(call.offers(), []);
    call.a.log.splice(0);
    call.a.addTrack();
    call.b.addTrack();
    await settled();
    assert.deepEqual(call.a.log.slice(0, 2), ["have-local-offer", "stable"]); // nor does it yield any more
    call.expectAgreement();
  }
});

test("meanwhile the other end may offer, whoever is polite", async (t) => {
  const pass = stopClock(t);
  const call = new Call(t);
  call.b.refusals = ["offer"];
  call.a.addTrack();
  await pass(1000);
  call.b.addTrack();
  await pass(1000);
  call.warnings.splice(0);
  call.expectAgreement();
  call.offers();
  call.lines.a = false;
  call.a.addTrack();
  await pass(60000);
  assert.deepEqual(call.offers(), ["a"]); // it was not refused
});

test("version 1 is not told that its offer can't be taken", async (t) => {
  const call = new Call(t, { versions: [2, 1], options: [{}, { polite: false }] });
  call.a.refusals = ["offer"];
  call.b.addTrack();
  await settled();
  assert.match(call.warnings.splice(0).join(), /no offer/);
  assert.deepEqual(call.sent.filter(([who]) => who === "a"), []);
});

test("an answer to an offer that was taken back does no harm", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  call.tell("a", "signal", { from: call.peers.b, signal: { type: "answer", sdp: "late" } });
  await settled();
  call.expectAgreement();
});

test("a peer that is replaced by a reload is another peer", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  call.offers();
  call.tell("a", "peer-joined", { id: "b2", order: 3, version: 2 });
  call.tell("a", "signal", { from: { id: "b2" }, signal: { type: "offer", sdp: "of another page" } });
  await settled();
  assert.deepEqual(call.offers(), []);
  call.expectAgreement();
});

test("the application's own signals are not touched", async (t) => {
  const call = new Call(t);
  call.tell("a", "signal", { from: call.peers.b, signal: { type: "signal", data: "chat" } });
  await settled();
  assert.deepEqual(call.warnings, []);
});

test("what the connection refuses is told, and the next works", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  call.tell("a", "signal", { from: call.peers.b, signal: { type: "candidate", candidate: { candidate: "old" } } });
  await settled();
  assert.match(call.warnings.splice(0).join(), /a candidate of nothing/);
  call.a.addTrack();
  await settled();
  call.expectAgreement();
});

test("a candidate that comes before any description waits for it", async (t) => {
  for (const type of ["offer", "answer"]) {
    const call = new Call(t);
    const tell = (signal) => call.tell("a", "signal", { from: call.peers.b, signal });
    if (type === "answer") {
      call.lines.a = false;
      call.a.addTrack();
      await settled();
    }
    ["of b 1 1", "of b 1 1"].forEach((candidate) => tell({ type: "candidate", candidate: { candidate } }));
    await settled();
    tell({ type, sdp: "b 1 1" });
    await settled();
    assert.deepEqual(call.a.candidates, ["of b 1 1", "of b 1 1"]);
    assert.deepEqual(call.warnings, []);
  }
});

test("an event that comes twice is one offer", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  call.a.dispatchEvent(new Event("negotiationneeded"));
  call.a.dispatchEvent(new Event("negotiationneeded"));
  await settled();
  assert.deepEqual(call.offers(), ["a"]);
  call.expectAgreement();
});

test("stop is heard by what is under way, too", async (t) => {
  const call = new Call(t);
  call.tell("a", "signal", { from: call.peers.b, signal: { type: "offer", sdp: "b 1 1" } });
  call.negotiations[0].stop();
  await settled();
  assert.deepEqual([call.sent, call.a.remoteDescription], [[], null]);
});

test("after stop nothing is said any more, not even what is under way", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  const real = call.a.setLocalDescription.bind(call.a);
  call.a.setLocalDescription = async (description) => {
    await real(description);
    call.negotiations[0].stop();
  };
  await settled();
  assert.equal(call.a.signalingState, "have-local-offer");
  assert.deepEqual(call.sent, []);
});

test("a connection that is closed is left alone", async (t) => {
  const call = new Call(t);
  call.a.addTrack();
  await settled();
  call.a.signalingState = "closed";
  call.a.setRemoteDescription = call.a.restartIce = () => assert.fail();
  call.tell("a", "signal", { from: call.peers.b, signal: { type: "offer", sdp: "b 1 1" } });
  call.a.fail("disconnected");
  await settled();
  assert.deepEqual(call.warnings, []);
});

test("stop lets go of everything", async (t) => {
  const call = new Call(t);
  call.negotiations.forEach((negotiation) => negotiation.stop());
  assert.deepEqual([call.handlers("a"), call.handlers("b")], [0, 0]);
  call.a.addTrack();
  call.a.fail();
  await settled();
  assert.deepEqual(call.sent, []);
});
