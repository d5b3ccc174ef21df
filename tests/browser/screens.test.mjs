// Every state of the page in every size: a picture of each in out/browser/screens, and what must hold for it.
//
// Light and dark differ in their colours, languages in their words, sizes in where everything is. So each state is drawn
// in all of them, and each check is made where it can tell something new.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Browser } from "./pages.mjs";
import { burstTexts, cutControls, faintTexts, inaccessible, prepare, settled, unreachable } from "./screens/checks.mjs";
import { Walk } from "./screens/states.mjs";
import { Stack } from "./stack.mjs";

const PICTURES = fileURLToPath(new URL("../../out/browser/screens/", import.meta.url));
const SIZES = [[320, 568], [390, 844], [844, 390], [1280, 800]];
const SCHEMES = ["light", "dark"];
const LARGE_TEXT = "200%";

const sizeName = ([width, height]) => `${width}x${height}`;

/** The rules of axe-core hardly depend on the size, and on the language only where names are compared with words. */
const isAxeTurn = (language, i, scheme) => (language === "en" ? SCHEMES[i % 2] === scheme : i === 0 && scheme === "light");

/** Shows states and gathers what is wrong with them. */
class Gallery {
  #language;
  #faults = new Map(); // each with where it was seen
  count = 0;
  ms = {};

  constructor(language) {
    this.#language = language;
  }

  /** The faults, each with the screens that have it. */
  get faults() {
    return [...this.#faults].map(([fault, places]) => {
      const [first, ...others] = places;
      return `${fault}: ${first}${others.length > 0 ? ` and ${others.length} more` : ""}`;
    });
  }

  async #check(place, name, promise) {
    const began = performance.now();
    for (const fault of await promise) {
      this.#faults.set(fault, (this.#faults.get(fault) ?? new Set()).add(place));
    }
    this.ms[name] = (this.ms[name] ?? 0) + performance.now() - began;
  }

  async show(state, page) {
    await prepare(page);
    for (const [i, size] of SIZES.entries()) {
      const [width, height] = size;
      await page.setViewportSize({ width, height });
      for (const scheme of SCHEMES) {
        await page.emulateMedia({ colorScheme: scheme });
        await settled(page);
        await this.#draw(page, state, size, scheme);
        const place = `${state} ${sizeName(size)} ${scheme}`;
        if (this.#language === "en") {
          await this.#check(place, "contrast", faintTexts(page));
        }
        if (isAxeTurn(this.#language, i, scheme)) {
          await this.#check(place, "axe", inaccessible(page));
        }
      }
      await this.#check(`${state} ${sizeName(size)}`, "controls", cutControls(page, { atOnce: "#call" }));
      await this.#check(`${state} ${sizeName(size)}`, "texts", burstTexts(page));
      if (this.#language === "en" && i % 2 === 0) { // an upright phone, and one on its side
        await this.#check(`${state} ${sizeName(size)}`, "keyboard", unreachable(page));
      }
      await this.#enlarge(page, state, size);
    }
    this.count += 1;
  }

  async #draw(page, state, size, scheme) {
    const began = performance.now();
    const folder = join(PICTURES, `${this.#language}-${scheme}-${sizeName(size)}`);
    await page.screenshot({ path: join(folder, `${state}.png`) });
    this.ms.pictures = (this.ms.pictures ?? 0) + performance.now() - began;
  }

  async #enlarge(page, state, size) {
    const place = `${state} ${sizeName(size)} with large text`;
    const setSize = (value) => page.evaluate((text) => (document.documentElement.style.fontSize = text), value);
    await setSize(LARGE_TEXT);
    await settled(page);
    if (size === SIZES[0]) {
      await page.screenshot({ path: join(PICTURES, `${this.#language}-large-${sizeName(size)}`, `${state}.png`) });
    }
    await this.#check(place, "controls", cutControls(page));
    await this.#check(place, "texts", burstTexts(page));
    await setSize("");
  }
}

/** One walk through all states. */
async function walk(t, language) {
  await mkdir(join(PICTURES, `${language}-large-${sizeName(SIZES[0])}`), { recursive: true });
  for (const size of SIZES) {
    for (const scheme of SCHEMES) {
      await mkdir(join(PICTURES, `${language}-${scheme}-${sizeName(size)}`), { recursive: true });
    }
  }
  const stack = await Stack.start();
  const browser = await Browser.start(stack.url);
  const gallery = new Gallery(language);
  try {
    await new Walk({ browser, stack, language, show: (...state) => gallery.show(...state) }).all();
    await browser.closePages();
  } finally {
    await browser.stop();
    await stack.stop();
    const times = Object.entries(gallery.ms).map(([name, ms]) => `${name} ${Math.round(ms / 1000)} s`);
    t.diagnostic(`${gallery.count} states, ${gallery.count * SIZES.length * SCHEMES.length} pictures: ${times.join(", ")}`);
  }
  assert.equal(gallery.faults.join("\n"), "");
}

for (const language of ["en", "ru"]) {
  test(`every state is seen, read and used in every size (${language})`, (t) => walk(t, language));
}
