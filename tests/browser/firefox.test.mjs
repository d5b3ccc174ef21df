// Calls between Chromium and Firefox. FIREFOX names another Firefox.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import puppeteer from "puppeteer-core";

import { useCalls } from "./calls.mjs";
import { decodesFrames, linkOf, phase, press, says } from "./pages.mjs";

const PATIENCE_MS = 20000;
const PREFERENCES = {
  "media.navigator.streams.fake": true,
  "media.navigator.permission.disabled": true,
  "media.autoplay.default": 0,
  "media.peerconnection.ice.loopback": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false, // nobody answers mDNS here
};

const { openPage, url } = useCalls();
let firefox;
let faults;

before(async () => {
  firefox = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    extraPrefsFirefox: PREFERENCES,
  });
});

after(() => firefox?.close());

async function openFox(link) {
  const page = await firefox.newPage();
  faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(link);
  await isIn(page, "idle");
  return page;
}

const isIn = (page, name) => page.waitForSelector(`body[data-phase="${name}"]`, { timeout: PATIENCE_MS });
const click = (page, id) => page.$eval(id, (element) => element.click());

/** In a call, and the other side's picture goes on. */
async function foxSees(page) {
  await isIn(page, "incall");
  const before = await page.$eval("#remote", ({ currentTime }) => currentTime);
  const goesOn = (since) => {
    const { videoWidth, currentTime } = document.getElementById("remote");
    return videoWidth > 0 && currentTime > since + 0.3;
  };
  await page.waitForFunction(goesOn, { timeout: PATIENCE_MS, polling: 50 }, before);
}

const bothSee = (fox, page) => Promise.all([foxSees(fox), phase(page, "incall").then(() => decodesFrames(page))]);

/** A call through all that a call goes through. */
async function live(fox, page) {
  await bothSee(fox, page);
  await click(fox, "#camera");
  await page.locator("#avatar").waitFor();
  await click(fox, "#camera");
  await page.locator("#avatar").waitFor({ state: "hidden" });
  await bothSee(fox, page);
  await fox.reload();
  await bothSee(fox, page);
  await page.reload();
  await bothSee(fox, page);
  await click(fox, "#hang-up");
  await says(page, "Fox has hung up");
  await press(page);
  await isIn(fox, "incoming");
  await click(fox, "#call");
  await bothSee(fox, page);
  await fox.close();
  assert.deepEqual(faults, []);
}

test("Firefox calls Chromium: seen, turned off, reloaded, ended and called again", async () => {
  const fox = await openFox(url());
  await fox.type("#name", "Fox");
  await click(fox, "#call");
  await isIn(fox, "waiting");
  const page = await openPage(await fox.$eval("#link", ({ value }) => value));
  await press(page, "Anna");
  await live(fox, page);
});

test("Chromium calls Firefox", async () => {
  const page = await openPage(url());
  await press(page, "Anna");
  const fox = await openFox(await linkOf(page));
  await fox.type("#name", "Fox");
  await click(fox, "#call");
  await live(fox, page);
});
