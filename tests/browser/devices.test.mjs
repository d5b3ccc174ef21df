// Cameras and microphones: asked for, refused, turned off, interrupted, chosen.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PHONE, useCalls } from "./calls.mjs";
import { decodesFrames, linkOf, phase, press, says, seesFrames } from "./pages.mjs";

const { openPage, call, picture, url } = useCalls();

const notice = (page, text) => page.locator("#media-notice").filter({ hasText: text }).waitFor();
const localTracks = (page) =>
  page.evaluate(() => document.getElementById("local").srcObject.getTracks().map(({ kind, id }) => ({ kind, id })));

/** What the browser's question does is the test's to say: window.answer(error), null to allow. */
function holdQuestion() {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const error = await new Promise((resolve) => (window.answer = resolve));
    if (error !== null) {
      throw new DOMException("no", error);
    }
    return ask(wish);
  };
}

const answer = (page, error = null) => page.evaluate((name) => window.answer(name), error);

test("while the browser asks, the page says what to press; a refusal is named, explained, and can be undone", async () => {
  const anna = await openPage(url(), { init: holdQuestion, ...PHONE });
  await press(anna, "Anna");
  await phase(anna, "asking");
  await says(anna, "Press “Allow”");
  await picture(anna, "asking");
  await answer(anna, "NotAllowedError");
  await phase(anna, "refused");
  await says(anna, "Camera and microphone are not allowed");
  await says(anna, "Press the sign beside the page's address");
  await picture(anna, "refused");

  await anna.getByRole("button", { name: "Try again" }).click();
  await phase(anna, "asking");
  await answer(anna);
  await phase(anna, "waiting");
  assert.deepEqual((await localTracks(anna)).map(({ kind }) => kind).sort(), ["audio", "video"]);
});

test("who can't or won't be seen and heard may still call", async () => {
  const anna = await openPage(url(), { init: holdQuestion });
  await press(anna, "Anna");
  await phase(anna, "asking");
  await answer(anna, "NotAllowedError");
  await anna.getByRole("button", { name: "Go on without them" }).click();
  const boris = await openPage(await linkOf(anna));
  await notice(anna, "Camera and microphone are not allowed");
  await press(boris, "Boris");
  await seesFrames(anna);
  await phase(boris, "incall");
  await boris.locator("#avatar").filter({ hasText: "A" }).waitFor(); // no black picture
  await boris.getByText("Microphone off").waitFor();
  await picture(boris, "in-call-with-nobody-seen");
});

test("a device that another program has is said to be so", async () => {
  const anna = await openPage(url(), { init: holdQuestion });
  await press(anna, "Anna");
  await phase(anna, "asking");
  await answer(anna, "NotReadableError");
  await answer(anna, null); // the second question is for the sound alone
  await phase(anna, "waiting");
  await notice(anna, "Another program has the camera");
  assert.deepEqual((await localTracks(anna)).map(({ kind }) => kind), ["audio"]);
});

test("a page that is not secure says why nobody is seen", async () => {
  const insecure = () => {
    Object.defineProperty(window, "isSecureContext", { value: false });
    Object.defineProperty(navigator, "mediaDevices", { value: undefined });
  };
  const anna = await openPage(url(), { init: insecure });
  await press(anna, "Anna");
  await phase(anna, "waiting");
  await notice(anna, "Browsers give camera and microphone to https:// pages only");
});

test("one who is silent or has turned the camera off is shown so, and the camera's light goes out", async () => {
  const { anna, boris } = await call();
  await anna.locator("#microphone").click();
  await boris.getByText("Microphone off").waitFor();
  await anna.locator("#microphone").click();
  await boris.locator("#peer-muted").waitFor({ state: "hidden" });

  await anna.locator("#camera").click();
  await boris.locator("#avatar").filter({ hasText: "A" }).waitFor();
  assert.equal(await anna.locator("#camera").getAttribute("aria-pressed"), "false");
  await anna.locator("#self").waitFor({ state: "hidden" });
  assert.deepEqual((await localTracks(anna)).map(({ kind }) => kind), ["audio"]);
  await picture(boris, "in-call-camera-off");

  await anna.locator("#camera").click();
  await boris.locator("#avatar").waitFor({ state: "hidden" });
  await anna.locator("#self").waitFor();
  await decodesFrames(boris);
});

test("what a phone call has taken away comes back by itself", async () => {
  const { anna, boris } = await call();
  const event = (kind, type) =>
    anna.evaluate(
      ([of, name]) => {
        const track = document.getElementById("local").srcObject.getTracks().find((one) => one.kind === of);
        track.dispatchEvent(new Event(name));
      },
      [kind, type],
    );
  await event("audio", "mute");
  await notice(anna, "The microphone is interrupted");
  await boris.getByText("Microphone off").waitFor();
  await event("audio", "unmute");
  await anna.locator("#media-notice").waitFor({ state: "hidden" });

  const [before] = (await localTracks(anna)).filter(({ kind }) => kind === "video");
  await event("video", "ended");
  await notice(anna, "The camera is interrupted");
  await boris.locator("#avatar").waitFor();
  await anna.locator("#media-notice").waitFor({ state: "hidden" }); // taken anew
  await boris.locator("#avatar").waitFor({ state: "hidden" });
  await decodesFrames(boris);
  const [after] = (await localTracks(anna)).filter(({ kind }) => kind === "video");
  assert.notEqual(after.id, before.id);
});

test("a call may begin without a camera that is turned on in its course", async () => {
  const refuse = () => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    window.hasCamera = false;
    navigator.mediaDevices.getUserMedia = (wish) =>
      wish.video && !window.hasCamera ? Promise.reject(new DOMException("no", "NotFoundError")) : ask(wish);
  };
  for (const late of ["callerOptions", "calleeOptions"]) {
    const anna = await openPage(url(), late === "callerOptions" ? { init: refuse } : {});
    await press(anna, "Anna");
    const boris = await openPage(await linkOf(anna), late === "calleeOptions" ? { init: refuse } : {});
    await press(boris, "Boris");
    const [blind, other] = late === "callerOptions" ? [anna, boris] : [boris, anna];
    await seesFrames(blind);
    await other.locator("#avatar").waitFor();
    await blind.evaluate(() => (window.hasCamera = true));
    await blind.locator("#camera").click();
    await seesFrames(other);
    await other.locator("#avatar").waitFor({ state: "hidden" });
  }
});

test("devices can be chosen, and stay chosen", async () => {
  const { anna, boris } = await call();
  await anna.locator("#show-devices").click();
  const choice = anna.locator("#microphone-choice");
  const options = await choice.locator("option").evaluateAll((all) => all.map(({ value }) => value));
  assert.ok(options.length > 1, "Chromium fakes several microphones");
  const other = options.find((value) => value !== "default");
  await choice.selectOption(other);
  await anna.waitForFunction(
    (id) => document.getElementById("local").srcObject.getAudioTracks()[0].getSettings().deviceId === id,
    other,
  );
  await picture(anna, "devices");
  await anna.locator("#devices").getByRole("button", { name: "Close" }).click();
  await anna.locator("#devices").waitFor({ state: "hidden" });
  await seesFrames(boris);
  await anna.reload();
  await seesFrames(boris);
  await anna.waitForFunction(
    (id) => document.getElementById("local").srcObject?.getAudioTracks()[0]?.getSettings().deviceId === id,
    other,
  );
});

test("the loudspeaker can be chosen, and stays chosen", async () => {
  const init = () => {
    HTMLMediaElement.prototype.setSinkId = async (id) => void (window.sink = id);
    const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
    navigator.mediaDevices.enumerateDevices = async () => {
      const all = (await list()).filter(({ kind }) => kind !== "audiooutput");
      const outputs = ["default", "headset"].map((deviceId) => ({ kind: "audiooutput", deviceId, label: deviceId }));
      return [...all, ...outputs];
    };
  };
  const { anna } = await call({ callerOptions: { init } });
  await anna.locator("#show-devices").click();
  await anna.locator("#devices").waitFor(); // shown when the browser has said what there is
  assert.equal(await anna.locator("#speaker-choice").inputValue(), "default");
  await anna.locator("#speaker-choice").selectOption("headset");
  assert.equal(await anna.evaluate(() => window.sink), "headset");
  await anna.reload();
  await anna.waitForFunction(() => window.sink === "headset");
});

test("a phone with two cameras has a button for the other one", async () => {
  const twoCameras = () => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    window.wishes = [];
    navigator.mediaDevices.getUserMedia = (wish) => {
      window.wishes.push(wish.video?.facingMode);
      return ask(wish);
    };
    const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
    navigator.mediaDevices.enumerateDevices = async () => {
      const all = await list();
      return [...all, { kind: "videoinput", deviceId: "rear", label: "Rear" }];
    };
  };
  const { anna, boris } = await call({ callerOptions: { init: twoCameras, ...PHONE } });
  assert.equal(await anna.locator("#self").getAttribute("class"), "self mirror");
  await anna.getByRole("button", { name: "Other camera" }).click();
  await anna.locator("#self:not(.mirror)").waitFor();
  assert.deepEqual(await anna.evaluate(() => window.wishes), ["user", "environment"]);
  await decodesFrames(boris);
  await boris.locator("#flip").waitFor({ state: "hidden" }); // one camera, no button
});

test("one may look at oneself before the call, with the same camera", async () => {
  const anna = await openPage(url());
  await anna.getByRole("button", { name: "See yourself first" }).click();
  await anna.waitForFunction(() => document.getElementById("local").videoWidth > 0);
  await anna.locator("#self").waitFor();
  await picture(anna, "look");
  await anna.getByRole("button", { name: "Turn the camera off" }).click();
  await anna.locator("#self").waitFor({ state: "hidden" });
  assert.deepEqual(await localTracks(anna), []);
  await anna.getByRole("button", { name: "See yourself first" }).click();
  await anna.locator("#self").waitFor();
  const before = await localTracks(anna);
  await press(anna, "Anna");
  await phase(anna, "waiting");
  assert.deepEqual(await localTracks(anna), before);
});
