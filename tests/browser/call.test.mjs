// Calls between real pages of a headless Chromium, through nginx and the server.
//
// Every wait is for something that a person could see, or for decoded frames. Screenshots of the main states
// go to out/browser. HOMECALL_SIGNAL_BINARY names another server.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { PHONE, useCalls } from "./calls.mjs";
import { bothSeeFrames, hangUp, linkOf, phase, press, says, seesFrames } from "./pages.mjs";

const { openPage, call, picture, stack, url } = useCalls();

test("a callee who comes later gets the call, and both can call again after a hang-up", async () => {
  const anna = await openPage(url(), PHONE);
  await picture(anna, "1-idle-phone");
  await press(anna, "");
  await anna.getByRole("alert").filter({ hasText: "Enter your name" }).waitFor();
  await press(anna, "Anna");
  const link = await linkOf(anna);
  assert.match(link, /#room=([a-z]{4}-){4}[a-z]{4}&from=Anna$/);
  assert.equal(anna.url(), link);
  await picture(anna, "2-waiting-phone");

  const boris = await openPage(link);
  await says(boris, "Anna invites you");
  await picture(boris, "3-invited");
  await press(boris, "Boris");
  await bothSeeFrames(anna, boris);
  await says(anna, "Boris");
  await says(boris, "Anna");
  await picture(anna, "4-in-call-phone");
  await picture(boris, "5-in-call");

  await hangUp(boris);
  await Promise.all([phase(anna, "ended"), phase(boris, "ended")]);
  await says(boris, "You have hung up");
  await says(anna, "Boris has hung up");
  await picture(anna, "6-ended-phone");
  await picture(boris, "7-ended");
  assert.equal(await anna.evaluate(() => document.getElementById("local").srcObject.getTracks().length), 0);

  await press(boris); // the guest first
  await says(anna, "Boris is calling");
  await says(boris, "The other side sees that you are calling");
  await press(anna); // answers
  await bothSeeFrames(anna, boris);
  await hangUp(anna);
  await says(boris, "Anna has hung up");
  await boris.close();
  await says(anna, "You have hung up");
});

test("a call has the servers that the server tells, and renews their credentials", async () => {
  const { anna: page } = await call({ callerOptions: { hasClock: true } });
  const usernames = () =>
    page.evaluate(() => window.connections.at(-1)?.getConfiguration().iceServers.map(({ username }) => username));
  const [stun, first] = await usernames();
  assert.ok(!stun);
  assert.match(first, /^\d+:/);
  const renewed = page.waitForResponse((response) => new URL(response.url()).pathname === "/ice");
  await page.clock.runFor(50000);
  assert.equal((await renewed).status(), 200);
  assert.equal((await usernames()).length, 2);
});

test("both sides may press at the same moment, at first and again", async () => {
  const anna = await openPage(url());
  await press(anna, "Anna");
  const link = await linkOf(anna);
  await hangUp(anna);
  const boris = await openPage(link);
  await Promise.all([press(anna), press(boris, "Boris")]);
  await bothSeeFrames(anna, boris);
  await hangUp(boris);
  await phase(anna, "ended");
  await Promise.all([press(anna), press(boris)]);
  await bothSeeFrames(anna, boris);
});

test("a call that is answered no more is not heard of", async () => {
  const { anna, boris } = await call();
  await hangUp(anna);
  await phase(boris, "ended");
  await press(anna);
  await phase(boris, "incoming");
  await picture(boris, "17-incoming");
  await hangUp(anna);
  await phase(boris, "ended");
  await press(anna);
  await phase(boris, "incoming");
  await boris.getByRole("button", { name: "Not now" }).click();
  await phase(boris, "idle");
  await says(anna, "Waiting for the other side");
});

test("a page that is reloaded takes the call up again", async () => {
  const { anna, boris } = await call();
  await boris.reload();
  await bothSeeFrames(boris, anna);
  const ofAnna = await anna.evaluate(() => window.connections.map(({ connectionState }) => connectionState));
  assert.deepEqual(ofAnna, ["closed", "connected"], "another session, another connection");
  await anna.reload();
  await bothSeeFrames(anna, boris);
  await says(anna, "Boris");
});

test("a side that goes for good is given up after a while", async () => {
  const { anna, boris } = await call({ callerOptions: { hasClock: true } });
  await boris.close();
  await says(anna, "The connection is interrupted");
  await picture(anna, "8-interrupted");
  await anna.clock.fastForward(119000);
  await phase(anna, "incall");
  await anna.clock.fastForward(2000);
  await phase(anna, "ended");
  await says(anna, "Boris did not come back");
});

test("a third page is told that the room is full, and moves in when one of the two makes room", async () => {
  const { anna, boris } = await call();
  const third = await openPage(anna.url(), PHONE); // Boris's other device
  await press(third, "Boris");
  await phase(third, "full");
  await says(third, "Room is full");
  await picture(third, "9-full-phone");
  await bothSeeFrames(anna, boris);
  await hangUp(boris);
  await boris.getByRole("button", { name: "To the start" }).click();
  await phase(third, "waiting");
  await press(anna);
  await bothSeeFrames(anna, third);
});

test("a call outlives its server, and a page that waits finds it again", async () => {
  const { anna, boris } = await call();
  const waiting = await openPage(url());
  await press(waiting, "Vera");
  const link = await linkOf(waiting);

  await stack().killServer();
  await Promise.all([anna, boris, waiting].map((page) => says(page, "Server lost, reconnecting")));
  await bothStillSee(anna, boris);
  await picture(anna, "10-server-lost-in-call");
  await picture(waiting, "11-server-lost-waiting");

  const connections = await anna.evaluate(() => window.connections.length);
  await stack().startServer();
  await Promise.all([says(anna, "Boris"), says(boris, "Anna")]);
  await bothSeeFrames(anna, boris);
  assert.equal(await anna.evaluate(() => window.connections.length), connections, "the media goes on");

  await says(waiting, "Waiting for the other side");
  const late = await openPage(link);
  await press(late, "Gleb");
  await bothSeeFrames(waiting, late);

  await boris.reload(); // he can, because both are in their room again
  await bothSeeFrames(anna, boris);
});

/** How long the supervisor waits before it starts a server again that was killed, in ms: systemd, by the unit. */
async function restartDelay() {
  const unit = await readFile(new URL("../../deploy/systemd/homecall-signal.service.in", import.meta.url), "utf8");
  return Number(unit.match(/^RestartSec=(\d+)ms$/m)[1]);
}

/** The answer waits for the next "joined" that comes to the page. */
async function expectJoined(page) {
  const joined = new Promise((resolve) => {
    page.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) => JSON.parse(payload).type === "joined" && resolve()),
    );
  });
  return () => joined;
}

test("every pair is back within 5 s of the server's violent death", async () => {
  const pairs = [await call(), await call()];
  const waiting = await openPage(url());
  await press(waiting, "Vera");
  await phase(waiting, "waiting");
  const all = [...pairs.flatMap(({ anna, boris }) => [anna, boris]), waiting];
  const pause = await restartDelay();

  const died = performance.now();
  const joined = await Promise.all(all.map(expectJoined));
  await stack().killServer();
  await delay(Math.max(0, died + pause - performance.now()));
  await stack().startServer();
  await Promise.all(joined.map((wait) => wait()));
  await Promise.all([
    ...pairs.flatMap(({ anna, boris }) => [says(anna, "Boris"), says(boris, "Anna")]),
    says(waiting, "Waiting for the other side"),
  ]);
  const took = performance.now() - died;
  assert.ok(took < 5000, `it took ${Math.round(took)} ms`);
  await Promise.all(pairs.map(({ anna, boris }) => bothSeeFrames(anna, boris)));
});

/** seesFrames, while the server is lost. */
async function bothStillSee(...pages) {
  for (const page of pages) {
    const shown = () => document.getElementById("remote").getVideoPlaybackQuality().totalVideoFrames;
    const before = await page.evaluate(shown);
    await page.waitForFunction(
      (frames) => document.getElementById("remote").getVideoPlaybackQuality().totalVideoFrames > frames + 5,
      before,
    );
  }
}

test("a tab that is opened from another one is a caller of its own", async () => {
  const anna = await openPage(url());
  await press(anna, "Anna");
  await phase(anna, "waiting");
  const [duplicate] = await Promise.all([
    anna.waitForEvent("popup"), // with a copy of the session storage, and so of the suffix
    anna.evaluate(() => void window.open(location.href)),
  ]);
  await phase(duplicate, "idle");
  await press(duplicate);
  await bothSeeFrames(anna, duplicate);
});

test("without a camera there is sound, and without a microphone there is still the other side", async () => {
  const refuse = (best) => {
    const allowed = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wish) =>
      wish.video || best === "none" ? Promise.reject(new DOMException("no", "NotFoundError")) : allowed(wish);
  };
  const anna = await openPage(url(), { init: refuse, value: "audio" });
  await press(anna, "Anna");
  await says(anna, "No camera: you will be heard, but not seen");
  const boris = await openPage(await linkOf(anna));
  await press(boris, "Boris");
  await seesFrames(anna);
  await phase(boris, "incall");
  await boris.locator("#avatar").filter({ hasText: "A" }).waitFor();
  await picture(boris, "12-in-call-without-picture");
  const link = anna.url();
  await hangUp(anna);
  await phase(boris, "ended");
  await anna.getByRole("button", { name: "To the start" }).click();
  await phase(anna, "idle");

  const clara = await openPage(link, { init: refuse, value: "none" });
  await press(clara, "Clara");
  await says(clara, "No camera and no microphone");
  await says(boris, "Clara is calling");
  await press(boris);
  await seesFrames(clara);
  await phase(boris, "incall");
});

test("the page speaks Russian, and is dark where the system is", async () => {
  const russian = { ...PHONE, locale: "ru-RU", colorScheme: "dark" };
  const anna = await openPage(url(), russian);
  assert.equal(await anna.evaluate(() => document.documentElement.lang), "ru");
  await says(anna, "Звонок домой");
  await picture(anna, "13-idle-phone-dark-ru");
  await press(anna, "Анна");
  const link = await linkOf(anna);
  await says(anna, "Ждём собеседника");
  await picture(anna, "14-waiting-phone-dark-ru");
  const boris = await openPage(link, { locale: "ru-RU", colorScheme: "dark" });
  await picture(boris, "15-invited-dark-ru");
  await press(boris, "Борис");
  await bothSeeFrames(anna, boris);
  await says(anna, "Борис");
  await hangUp(anna);
  await says(boris, "Звонок завершён на той стороне: Анна");
  await picture(anna, "16-ended-phone-dark-ru");
  const width = await anna.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.equal(width[0], width[1], "nothing sticks out of a phone's screen");
});
