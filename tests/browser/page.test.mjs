// What people expect of the page around a call: contacts, codewords, links, the picture, the screen.

import assert from "node:assert/strict";
import { test } from "node:test";

import jsQR from "jsqr";

import { PHONE, useCalls } from "./calls.mjs";
import { bothSeeFrames, hangUp, linkOf, phase, press, says } from "./pages.mjs";

const { openPage, call, picture, stack, url } = useCalls();

const toStart = (page) => page.locator("#home").click();
const contactsOf = (page) => page.evaluate(() => JSON.parse(localStorage.getItem("homecall.contacts")));
const contact = (page, name) => page.getByRole("button", { name: `Call ${name}` });
const roomOf = (page) => new URLSearchParams(new URL(page.url()).hash.slice(1)).get("room");

async function endOnStart(...pages) {
  await hangUp(pages[0]);
  await Promise.all(pages.map((page) => phase(page, "ended")));
  await Promise.all(pages.map(toStart));
  await Promise.all(pages.map((page) => phase(page, "idle")));
}

test("whoever was called once is called again by one touch, in a room of their own", async () => {
  const { anna, boris } = await call({ callerOptions: PHONE });
  const first = roomOf(anna);
  await endOnStart(anna, boris);
  await picture(anna, "idle-with-contacts");
  await contact(anna, "Boris").click();
  await says(anna, "Calling Boris");
  await picture(anna, "waiting-for-contact");
  await contact(boris, "Anna").click();
  await bothSeeFrames(anna, boris);
  const lasting = roomOf(anna);
  assert.notEqual(lasting, first);
  assert.match(lasting, /^([a-z]{4}-){9}[a-z]{4}$/);
  await endOnStart(boris, anna);
  for (const page of [anna, boris]) {
    assert.deepEqual((await contactsOf(page)).map(({ room }) => room), [lasting], "one contact, the same room");
  }
  const { anna: again, boris: third } = await call();
  assert.notEqual((await contactsOf(again))[0].room, lasting, "other people have another room");
  await third.close();
});

test("two tabs of one browser may call each other, and are no contacts", async () => {
  const { anna, boris } = await call();
  const [tab] = await Promise.all([boris.waitForEvent("popup"), boris.evaluate((to) => void window.open(to), url())]);
  await hangUp(boris);
  await phase(anna, "ended");
  await toStart(anna);
  await phase(tab, "idle");
  const before = await contactsOf(boris);
  await tab.locator("#enter summary").click();
  await tab.locator("#typed").fill(roomOf(boris));
  await tab.getByRole("button", { name: "Call there" }).click();
  await press(boris);
  await bothSeeFrames(boris, tab);
  await hangUp(tab);
  await phase(boris, "ended");
  assert.deepEqual(await contactsOf(boris), before);
});

test("two people who are called again by a link keep the room that they had", async () => {
  const { anna, boris } = await call();
  await endOnStart(anna, boris);
  const [{ room }] = await contactsOf(anna);
  await anna.evaluate(() => (localStorage["homecall.name"] = JSON.stringify("Granny Anna")));
  await anna.reload();
  await press(anna);
  const link = await linkOf(anna);
  await boris.goto("about:blank");
  await boris.goto(link);
  await says(boris, "Granny Anna invites you");
  await press(boris);
  await bothSeeFrames(anna, boris);
  await boris.waitForFunction(() => JSON.parse(localStorage.getItem("homecall.contacts"))[0].name === "Granny Anna");
  assert.deepEqual((await contactsOf(boris)).map((one) => one.room), [room]);
  assert.deepEqual((await contactsOf(anna)).map((one) => one.room), [room]);
});

test("a contact can be renamed, moved to another device, and removed", async () => {
  const { anna, boris } = await call();
  await endOnStart(anna, boris);
  await anna.getByRole("button", { name: "More about Boris" }).click();
  const dialog = anna.locator("#contact");
  await dialog.getByLabel("Name").fill("Grandson");
  await dialog.getByRole("button", { name: "Save" }).click();
  await contact(anna, "Grandson").waitFor();

  await anna.evaluate(() => {
    navigator.share = async ({ url }) => void (window.shared = url);
  });
  await anna.getByRole("button", { name: "More about Grandson" }).click();
  await picture(anna, "contact");
  await dialog.getByRole("button", { name: "Link for another device" }).click();
  await dialog.getByText("The link is on its way").waitFor();
  const tablet = await openPage(await anna.evaluate(() => window.shared));
  await tablet.getByText("Add to this device?").waitFor();
  await picture(tablet, "contact-new");
  await tablet.locator("#contact").getByRole("button", { name: "Save" }).click();
  await tablet.locator("#name").fill("Anna");
  await contact(tablet, "Grandson").click();
  await contact(boris, "Anna").click();
  await bothSeeFrames(tablet, boris);
  assert.equal((await contactsOf(boris)).length, 1, "the same person on another device");
  await endOnStart(tablet, boris);

  await dialog.getByRole("button", { name: "Remove", exact: true }).click();
  await dialog.getByRole("button", { name: "Really remove?" }).click();
  await contact(anna, "Grandson").waitFor({ state: "detached" });
  assert.deepEqual(await contactsOf(anna), []);
});

test("a contact that a link brings can be declined", async () => {
  const page = await openPage(`${url()}#room=abc&contact=Eve`);
  await page.locator("#contact").getByRole("button", { name: "Close" }).click();
  await page.locator("#contact").waitFor({ state: "hidden" });
  assert.equal(await contactsOf(page), null);
  assert.equal(page.url(), url());
});

test("a codeword that was told can be typed", async () => {
  const anna = await openPage(url());
  await press(anna, "Anna");
  await phase(anna, "waiting");
  const codeword = await anna.locator("#codeword").innerText();
  const boris = await openPage(url());
  await boris.locator("#enter summary").click();
  await boris.getByRole("button", { name: "Call there" }).click();
  await boris.getByText("Enter your name").waitFor();
  await boris.locator("#name").fill("Boris");
  await boris.getByRole("button", { name: "Call there" }).click();
  await boris.getByText("Enter the codeword that you were told").waitFor();
  await boris.locator("#typed").fill(` ${codeword.toUpperCase().replaceAll("-", " ")} `);
  await boris.getByRole("button", { name: "Call there" }).click();
  await bothSeeFrames(anna, boris);
});

test("the QR code is the link", async () => {
  const anna = await openPage(url(), PHONE);
  await press(anna, "Anna");
  const link = await linkOf(anna);
  await anna.getByRole("button", { name: "QR code" }).click();
  await picture(anna, "code");
  const { data, width, height } = await anna.evaluate(() => {
    const canvas = document.getElementById("code-picture");
    const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return { data: [...data], width, height };
  });
  // As a camera sees it: each module several pixels wide.
  const scale = 4;
  const pixels = new Uint8ClampedArray(width * height * scale * scale * 4);
  for (let i = 0; i < pixels.length; i += 4) {
    const [x, y] = [(i / 4) % (width * scale), Math.floor(i / 4 / (width * scale))];
    const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * 4;
    pixels.set(data.slice(from, from + 4), i);
  }
  assert.equal(jsQR(pixels, width * scale, height * scale).data, link);
});

test("what became of a link that was shared is said", async () => {
  const anna = await openPage(url());
  await press(anna, "Anna");
  const link = await linkOf(anna);
  const share = anna.getByRole("button", { name: "Share the link" });
  const result = (text) => anna.locator("#share-result").filter({ hasText: text }).waitFor();
  await anna.evaluate(() => {
    navigator.share = async (data) => void (window.shared = data);
  });
  await share.click();
  await result("The link is on its way");
  assert.equal((await anna.evaluate(() => window.shared)).url, link);
  await anna.evaluate(() => {
    navigator.share = undefined;
    navigator.clipboard.writeText = async (text) => void (window.copied = text);
  });
  await share.click();
  await result("The link is copied");
  assert.equal(await anna.evaluate(() => window.copied), link);
  await anna.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new Error("no"));
  });
  await share.click();
  await result("Copy the link above");
  assert.equal(await anna.evaluate(() => document.activeElement.id), "link");
});

test("our own picture can be moved by hand and by key", async () => {
  const { anna } = await call();
  const self = anna.locator("#self");
  const corner = () => self.getAttribute("data-corner");
  assert.equal(await corner(), "bottom-right");
  await self.press("Enter");
  assert.equal(await corner(), "bottom-left");
  const box = await self.boundingBox();
  await anna.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await anna.mouse.down();
  await anna.mouse.move(700, 100, { steps: 5 });
  await anna.mouse.up();
  assert.equal(await corner(), "top-right");
  const moved = await self.boundingBox();
  assert.ok(moved.x > 450 && moved.y < 350);
});

test("a landscape picture is shown whole on an upright phone, and fills a wide window", async () => {
  const { anna, boris } = await call({ callerOptions: PHONE });
  const fit = (page) => page.evaluate(() => getComputedStyle(document.getElementById("remote")).objectFit);
  assert.equal(await fit(anna), "contain");
  assert.equal(await fit(boris), "cover");
  await anna.setViewportSize({ width: 844, height: 390 });
  await anna.waitForFunction(() => !document.getElementById("remote").classList.contains("whole"));
});

test("long words move no control", async () => {
  const small = { viewport: { width: 320, height: 568 } };
  const anna = await openPage(url(), small);
  await press(anna, "Anna");
  const boris = await openPage(await linkOf(anna));
  await press(boris, "Borislava Konstantinopolskaya-Zavadovska");
  await bothSeeFrames(anna, boris);
  const places = () =>
    anna.evaluate(() =>
      [...document.querySelectorAll("#controls button")].map((button) => button.getBoundingClientRect().toJSON()),
    );
  const before = await places();
  assert.ok(before.some(({ width }) => width > 0));
  await boris.locator("#microphone").click();
  await anna.getByText("Microphone off").waitFor();
  assert.deepEqual(await places(), before);
  await stack().killServer();
  await says(anna, "Server lost, reconnecting");
  const height = await anna.evaluate(() => document.querySelector(".panel").offsetHeight);
  assert.ok(height > 70, `the words take several lines, and ${height} px`);
  assert.deepEqual(await places(), before);
  await stack().startServer();
});

test("the time of the call and the quality of the line are told", async () => {
  const { anna } = await call();
  await anna.locator("#clock").filter({ hasText: /^0:0[1-9]$/ }).waitFor();
  await anna.getByRole("img", { name: "Good connection" }).waitFor();
  const heard = await anna.getByRole("timer", { name: "Call time" }).innerText();
  assert.match(heard, /^0:\d\d$/);
});

test("the screen stays on for as long as someone waits or talks", async () => {
  const init = () => {
    window.locks = [];
    navigator.wakeLock.request = async (type) => {
      const lock = { type, isHeld: true, release: () => (lock.isHeld = false) };
      window.locks.push(lock);
      return lock;
    };
  };
  const anna = await openPage(url(), { init });
  const held = () => anna.evaluate(() => window.locks.filter(({ isHeld }) => isHeld).map(({ type }) => type));
  assert.deepEqual(await held(), []);
  await press(anna, "Anna");
  await phase(anna, "waiting");
  assert.deepEqual(await held(), ["screen"]);
  await anna.evaluate(() => document.dispatchEvent(new Event("visibilitychange"))); // back from another app
  assert.equal((await anna.evaluate(() => window.locks)).length, 2);
  await hangUp(anna);
  await phase(anna, "ended");
  assert.equal((await held()).length, 1, "the one that the browser itself has ended");
});

test("the other side's picture can have a window of its own", async () => {
  const { anna, boris } = await call();
  await anna.evaluate(() => {
    const video = document.getElementById("remote");
    video.requestPictureInPicture = async () => void (window.hasWindow = true);
  });
  await anna.getByRole("button", { name: "Video in a window of its own" }).click();
  assert.equal(await anna.evaluate(() => window.hasWindow), true);
  await hangUp(boris);
});

test("without a network the start screen says so", async () => {
  const anna = await openPage(url());
  await anna.context().setOffline(true);
  await says(anna, "No network");
  await anna.context().setOffline(false);
  await says(anna, "Call home");
});

test("a flicker of the network while waiting costs one join, and nothing is offered to nobody", async () => {
  const anna = await openPage(url());
  const sent = [];
  const joined = new Promise((resolve) => {
    anna.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => sent.push(JSON.parse(payload).type));
      socket.on("framereceived", ({ payload }) => {
        if (JSON.parse(payload).type === "joined" && sent.filter((type) => type === "join").length === 2) {
          resolve();
        }
      });
    });
  });
  await press(anna, "Anna");
  await phase(anna, "waiting");
  await stack().killServer();
  await stack().startServer();
  await joined;
  assert.deepEqual(sent.filter((type) => type !== "ack"), ["join", "join"]);
  const boris = await openPage(await linkOf(anna));
  await press(boris, "Boris");
  await bothSeeFrames(anna, boris);
});
