// The page in a browser that lacks what the oldest ones lack: a Chromium from which it was taken away.

import assert from "node:assert/strict";
import { test } from "node:test";

import { useCalls } from "./calls.mjs";
import { SCRIPT_EXCEPTIONS } from "./lint/exceptions.mjs";
import { hangUp, linkOf, phase, press, seesFrames } from "./pages.mjs";

const { openPage, url } = useCalls();

// What js/connection.js asks for is no exception of the linter's, since it is never called unasked.
const LACKED = [
  ...SCRIPT_EXCEPTIONS.map(({ what }) => what),
  "RTCPeerConnection.connectionState",
  "RTCPeerConnection.onconnectionstatechange",
  "RTCPeerConnection.setConfiguration",
  "RTCRtpSender.setStreams",
  "HTMLMediaElement.setSinkId",
];

const options = {
  init: (names) => {
    for (const [owner, member] of names.map((name) => name.split("."))) {
      for (let prototype = window[owner].prototype; prototype; prototype = Object.getPrototypeOf(prototype)) {
        delete prototype[member];
      }
    }
    delete Document.prototype.pictureInPictureEnabled;
  },
  value: LACKED,
};

test("a call begins, goes on after a reload, and ends", async () => {
  const anna = await openPage(url(), options);
  const left = await anna.evaluate(
    (names) => names.filter((name) => name.split(".")[1] in window[name.split(".")[0]].prototype),
    LACKED,
  );
  assert.deepEqual(left, []);
  await press(anna, "Anna");
  const boris = await openPage(await linkOf(anna), options);
  await press(boris, "Boris");
  await Promise.all([anna, boris].map(seesFrames));
  await boris.reload();
  await Promise.all([anna, boris].map(seesFrames));
  await hangUp(boris);
  await phase(anna, "ended");
});
