// Calls between real pages of a headless Chromium, through nginx and the server.
//
// Every wait is for something that a person could see, or for decoded frames. Screenshots of the main states
// go to out/browser. HOMECALL_SIGNAL_BINARY names another server.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Browser, PATIENCE_MS, bothSeeFrames, hangUp, linkOf, phase, press, says, seesFrames } from "./pages.mjs";
import { Stack } from "./stack.mjs";

const PICTURES = fileURLToPath(new URL("../../out/browser/", import.meta.url));
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

let stack;
let browser;

before(async () => {
  await mkdir(PICTURES, { recursive: true });
  stack = await Stack.start();
  browser = await Browser.start(stack.url);
});

afterEach(() => browser.closePages());

after(async () => {
  await browser?.stop();
  await stack?.stop();
});

const openPage = (url, options) => browser.open(url, options);
const picture = (page, name) => page.screenshot({ path: `${PICTURES}${name}.png` });

/** Two pages in a call: Anna, who made the codeword up, and Boris, who came by the link after her offer. */
async function call({ callerOptions, calleeOptions } = {}) {
  const anna = await openPage(stack.url, callerOptions);
  await press(anna, "Anna");
  const boris = await openPage(await linkOf(anna), calleeOptions);
  await press(boris, "Boris");
  await bothSeeFrames(anna, boris);
  return { anna, boris };
}

test("a callee who comes later gets the call, and both can call again after a hang-up", async () => {
  const anna = await openPage(stack.url, PHONE);
  await picture(anna, "1-idle-phone");
  await press(anna, "");
  await anna.getByRole("alert").filter({ hasText: "Enter your name" }).waitFor();
  await press(anna, "Anna");
  const link = await linkOf(anna);
  assert.match(link, /#room=([a-z]{4}-){4}[a-z]{4}$/);
  assert.equal(anna.url(), link);
  await anna.waitForFunction(() => window.connections.at(-1)?.signalingState === "have-local-offer");
  await picture(anna, "2-waiting-phone");

  const boris = await openPage(link);
  await picture(boris, "3-invited");
  await press(boris, "Boris");
  await bothSeeFrames(anna, boris);
  await says(anna, "In a call with Boris");
  await says(boris, "In a call with Anna");
  await picture(anna, "4-in-call-phone");
  await picture(boris, "5-in-call");

  await hangUp(boris);
  await Promise.all([phase(anna, "ended"), phase(boris, "ended")]);
  await says(boris, "You have hung up");
  await says(anna, "Boris has hung up");
  await picture(anna, "6-ended-phone");
  await picture(boris, "7-ended");
  assert.equal(await anna.evaluate(() => document.getElementById("local").srcObject), null);

  await press(boris); // the guest first: the offer is his this time
  await phase(boris, "waiting");
  await press(anna);
  await bothSeeFrames(anna, boris);
  await hangUp(anna);
  await says(boris, "Anna has hung up");
});

test("a call has the servers that the server tells, and renews their credentials", async () => {
  const page = await openPage(stack.url, { hasClock: true });
  await press(page, "Anna");
  await phase(page, "waiting");
  const usernames = () =>
    page.evaluate(() => window.connections.at(-1)?.getConfiguration().iceServers.map(({ username }) => username));
  await page.waitForFunction(() => window.connections.length > 0);
  const [stun, first] = await usernames();
  assert.ok(!stun);
  assert.match(first, /^\d+:/);
  const renewed = page.waitForResponse((response) => new URL(response.url()).pathname === "/ice");
  await page.clock.runFor(50000);
  assert.equal((await renewed).status(), 200);
  assert.equal((await usernames()).length, 2);
});

test("both sides may press at the same moment", async () => {
  const anna = await openPage(stack.url);
  await press(anna, "Anna");
  const link = await linkOf(anna);
  await hangUp(anna);
  const boris = await openPage(link);
  await Promise.all([press(anna), press(boris, "Boris")]);
  await bothSeeFrames(anna, boris);
});

test("offers that cross end in one call, whichever side is the polite one", async () => {
  for (const names of [["Anna", "Boris"], ["Boris", "Anna"]]) {
    // Two sides that both made the codeword up offer at once, both.
    const init = () => sessionStorage.setItem("homecall.created", "glare");
    const pages = await Promise.all(names.map(() => openPage(`${stack.url}#room=glare`, { init })));
    await Promise.all(pages.map((page, i) => press(page, names[i])));
    await bothSeeFrames(...pages);
    await hangUp(pages[0]);
    await phase(pages[1], "ended");
  }
});

test("the side that keeps its offer repeats it, and takes no answer to another one", async () => {
  const zoe = await openPage(stack.url);
  await press(zoe, "Zoe");
  const link = await linkOf(zoe);
  const other = await openPage(link); // only its WebSocket is needed
  const origins = await other.evaluate(async (patience) => {
    const socket = new WebSocket(`ws://${location.host}/signal`);
    await new Promise((resolve) => (socket.onopen = resolve));
    const room = new URLSearchParams(location.hash.slice(1)).get("room");
    const send = (message) => socket.send(JSON.stringify({ room, ...message }));
    const seen = [];
    const twoOffers = new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error(`${seen.length} offers came`)), patience);
      socket.onmessage = ({ data }) => {
        const { type, sdp } = JSON.parse(data);
        if (type !== "offer") {
          return;
        }
        seen.push(sdp.sdp.match(/^o=.*$/m)[0]);
        if (seen.length === 2) {
          resolve(seen);
          return;
        }
        send({ type: "answer", sdp: { type: "answer", sdp: "not even SDP", inReplyTo: "an earlier offer" } });
        send({ type: "offer", sdp: sdp.sdp });
      };
    });
    send({ type: "join", user: "Adam" }); // the lesser of the two, so the polite one
    return twoOffers;
  }, PATIENCE_MS);
  assert.equal(origins[0], origins[1]);
  await phase(zoe, "waiting");
});

test("a page that is reloaded takes the call up again", async () => {
  const { anna, boris } = await call();
  await boris.reload();
  await bothSeeFrames(boris, anna);
  const ofAnna = await anna.evaluate(() => window.connections.map(({ connectionState }) => connectionState));
  assert.deepEqual(ofAnna, ["closed", "connected"], "another session, another connection");
  await anna.reload();
  await bothSeeFrames(anna, boris);
  await says(anna, "In a call with Boris");
});

test("a side that goes for good is given up after a while", async () => {
  const { anna, boris } = await call({ callerOptions: { hasClock: true } });
  await boris.close();
  await says(anna, "The connection is interrupted");
  await picture(anna, "8-interrupted");
  await anna.clock.fastForward(19000);
  await phase(anna, "incall");
  await anna.clock.fastForward(2000);
  await phase(anna, "ended");
  await says(anna, "Boris did not come back");
});

test("a third page is told that the room is full, and the call goes on", async () => {
  const { anna, boris } = await call();
  const third = await openPage(anna.url(), PHONE);
  await press(third, "Clara");
  await phase(third, "ended");
  await says(third, "Room is full");
  await picture(third, "9-full-phone");
  await bothSeeFrames(anna, boris);
});

test("a call outlives its server, and a page that waits finds it again", async () => {
  const { anna, boris } = await call();
  const waiting = await openPage(stack.url);
  await press(waiting, "Vera");
  const link = await linkOf(waiting);

  await stack.killServer();
  await Promise.all([anna, boris, waiting].map((page) => says(page, "Server lost, reconnecting")));
  await bothStillSee(anna, boris);
  await picture(anna, "10-server-lost-in-call");
  await picture(waiting, "11-server-lost-waiting");

  const connections = await anna.evaluate(() => window.connections.length);
  await stack.startServer();
  await Promise.all([says(anna, "In a call with Boris"), says(boris, "In a call with Anna")]);
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

test("every pair is back within 5 s of the server's violent death", async () => {
  const pairs = [await call(), await call()];
  const waiting = await openPage(stack.url);
  await press(waiting, "Vera");
  await phase(waiting, "waiting");
  const all = [...pairs.flatMap(({ anna, boris }) => [anna, boris]), waiting];
  const pause = await restartDelay();

  const died = performance.now();
  await stack.killServer();
  await Promise.all(all.map((page) => says(page, "Server lost, reconnecting")));
  await delay(Math.max(0, died + pause - performance.now()));
  await stack.startServer();
  await Promise.all([
    ...pairs.flatMap(({ anna, boris }) => [says(anna, "In a call with Boris"), says(boris, "In a call with Anna")]),
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
  const anna = await openPage(stack.url);
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

test("a page whose user joins elsewhere says so and stays away", async () => {
  const anna = await openPage(stack.url);
  await press(anna, "Anna");
  const link = await linkOf(anna);
  const suffix = await anna.evaluate(() => sessionStorage.getItem("homecall.tab"));
  const init = (tab) => sessionStorage.setItem("homecall.tab", tab);
  const elsewhere = await openPage(link, { init, value: suffix });
  await press(elsewhere, "Anna");
  await says(anna, "Continued elsewhere");
  await phase(anna, "ended");
  await phase(elsewhere, "waiting");
});

test("without a camera there is sound, and without a microphone there is still the other side", async () => {
  const refuse = (best) => {
    const allowed = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wish) =>
      wish.video || best === "none" ? Promise.reject(new DOMException("no", "NotFoundError")) : allowed(wish);
  };
  const anna = await openPage(stack.url, { init: refuse, value: "audio" });
  await press(anna, "Anna");
  await says(anna, "No camera: the other side will hear you");
  const boris = await openPage(await linkOf(anna));
  await press(boris, "Boris");
  await seesFrames(anna);
  await phase(boris, "incall");
  await boris.locator("#avatar").filter({ hasText: "A" }).waitFor();
  await picture(boris, "12-in-call-without-picture");
  await hangUp(anna);
  await phase(boris, "ended");

  const clara = await openPage(anna.url(), { init: refuse, value: "none" });
  await press(clara, "Clara");
  await says(clara, "No camera and no microphone");
  await press(boris);
  await seesFrames(clara);
  await phase(boris, "incall");
});

test("the microphone and the camera can be turned off and on", async () => {
  const { anna } = await call();
  for (const kind of ["microphone", "camera"]) {
    const button = anna.locator(`#${kind}`);
    const isOn = () =>
      anna.evaluate(() => document.getElementById("local").srcObject.getTracks().map(({ enabled }) => enabled));
    await button.click();
    assert.equal(await button.getAttribute("aria-pressed"), "false");
    assert.equal((await isOn()).filter((on) => !on).length, 1);
    await button.click();
    assert.deepEqual(await isOn(), [true, true]);
  }
});

test("the page speaks Russian, and is dark where the system is", async () => {
  const russian = { ...PHONE, locale: "ru-RU", colorScheme: "dark" };
  const anna = await openPage(stack.url, russian);
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
  await says(anna, "Идёт звонок: Борис");
  await hangUp(anna);
  await says(boris, "Собеседник завершил звонок: Анна");
  await picture(anna, "16-ended-phone-dark-ru");
  const width = await anna.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.equal(width[0], width[1], "nothing sticks out of a phone's screen");
});
