// The checks themselves: each finds the faults that it is there for, and none where there is none.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { burstTexts, cutControls, faintTexts, inaccessible, prepare, unreachable } from "./checks.mjs";

let browser;
before(async () => {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  browser = await chromium.launch({ executablePath, args: ["--headless=new", "--no-sandbox"] });
});
after(() => browser?.close());

const STYLE = `
  body { margin: 0; background: #fff; color: #000; font: 16px/1.2 sans-serif; }
  button { display: block; width: 120px; height: 40px; padding: 0; border: 0; background: #000; color: #fff; font: inherit; }
  :focus-visible { outline: 3px solid blue; }`;

/** The faults that `check` finds in a page with this body. */
async function faultsOf(check, body, options) {
  const page = await browser.newPage({ viewport: { width: 320, height: 300 } });
  try {
    const head = `<!doctype html><html lang="en"><title>A page</title><style>${STYLE}</style>`;
    await page.setContent(`${head}<main><h1>A page</h1>${body}</main>`);
    await prepare(page);
    return await check(page, options);
  } finally {
    await page.close();
  }
}

const SOUND = `
  <button id="call">Call</button>
  <p>Words that take more than one line, since they are many, and that is no fault.</p>
  <div style="height: 500px"></div>
  <div style="height: 100px; overflow-y: auto"><button>First</button><div style="height: 100px"></div><button>Last</button></div>
  <button style="border-radius: 50%; height: 120px">OK</button>
  <button disabled style="color: #777">Off</button>`;

const LID = '<div id="lid" style="position: absolute; inset: 0"></div>';

test("a sound page has no faults", async () => {
  for (const check of [inaccessible, faintTexts, cutControls, burstTexts, unreachable]) {
    assert.deepEqual(await faultsOf(check, SOUND, { atOnce: "#call" }), [], check.name);
  }
});

const has = (faults, pattern) => assert.ok(faults.some((fault) => pattern.test(fault)), faults.join("\n") || "no fault");

test("what axe-core finds is found", async () => {
  has(await faultsOf(inaccessible, '<p style="color: #aaa">Pale</p>'), /^color-contrast/);
  has(await faultsOf(inaccessible, '<button id="x"></button>'), /^button-name.*#x/);
});

test("a text over a picture needs a ground that holds whatever the picture shows", async () => {
  const overVideo = (ground) => `
    <video style="position: fixed; inset: 0; width: 100%; height: 100%"></video>
    <p id="text" style="position: relative; color: #fff; ${ground}">Words</p>`;
  const faults = async (ground) => {
    const all = await faultsOf(faintTexts, `<style>body { background: #000; color: #fff }</style>${overVideo(ground)}`);
    return all.filter((fault) => fault.startsWith("#text"));
  };
  has(await faults(""), /#text .* contrast of 1\.00/);
  has(await faults("background: rgb(0 0 0 / 40%)"), /#text/);
  has(await faults("background: linear-gradient(#000, #aaa)"), /#text/);
  assert.deepEqual(await faults("background: rgb(0 0 0 / 80%)"), []);
  assert.deepEqual(await faultsOf(faintTexts, '<p style="background: #000; color: #fff">Words</p>'), []);
});

test("a control that is cut, covered or out of sight is found", async () => {
  const check = (body) => faultsOf(cutControls, body, { atOnce: "#call" });
  has(await check('<div style="height: 290px"></div><button id="call">Call</button>'), /#call .* without scrolling/);
  has(await check('<button style="margin-left: 250px">Far</button>'), /Far.* is out of sight|Far.* is cut/);
  has(await check('<button style="position: fixed; top: -10px">High</button>'), /High.* is cut by the window/);
  has(await check(`<button id="x">Below</button>${LID}`), /#x .*covered by #lid/);
  has(await check('<button>A</button><button style="margin-top: -30px">B</button>'), /A.* is covered by .*B/);
  const hidden = '<div id="box" style="height: 60px; overflow: hidden"><div style="height: 80px"></div><button>In</button></div>';
  has(await check(hidden), /In.* is out of sight in #box/);
});

test("a text that leaves its box is found", async () => {
  const check = (body) => faultsOf(burstTexts, body);
  has(await check('<button style="width: 40px; white-space: nowrap">Long words</button>'), /Long words.* bursts button/);
  has(await check("<button>Words in more lines than the height of the button has room for, by far</button>"), /bursts/);
  const round = "border-radius: 50%; width: 80px; height: 80px; line-height: 26px";
  has(await check(`<button style="${round}">Call every one of us</button>`), /bursts/);
  has(await check(`<p>${"x".repeat(60)}</p>`), /the page is \d+ wide in a window of 320/);
  has(await check('<p style="position: fixed; top: 290px">Low words</p>'), /leaves the window/);
  has(await check(`<p id="x">Words</p>${LID}`), /#x .* is covered by #lid/);
});

test("what the keyboard can't reach, leave or see is found", async () => {
  const dull = '<button>A</button><div id="x" tabindex="0" style="outline: none">B</div>';
  has(await faultsOf(unreachable, dull), /#x .* nothing shows it/);
  const trap = '<button>A</button><button id="x" onkeydown="event.preventDefault()">B</button><button>C</button>';
  has(await faultsOf(unreachable, trap), /#x .* does not let the focus go/);
  has(await faultsOf(unreachable, trap), /C.* is not reached by Tab/);
});
