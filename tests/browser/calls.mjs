// What the tests of the page share: a server, a browser, and two people in a call.

import { mkdir } from "node:fs/promises";
import { after, afterEach, before } from "node:test";
import { fileURLToPath } from "node:url";

import { Browser, bothSeeFrames, linkOf, press } from "./pages.mjs";
import { Stack } from "./stack.mjs";

const PICTURES = fileURLToPath(new URL("../../out/browser/", import.meta.url));
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

/** For all tests of a file: { stack(), url(), openPage(url, options), call(options), picture(page, name) }. */
export function useCalls() {
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

  /** Two pages in a call: Anna, who made the codeword up, and Boris, who came by her link. */
  async function call({ callerOptions, calleeOptions } = {}) {
    const anna = await openPage(stack.url, callerOptions);
    await press(anna, "Anna");
    const boris = await openPage(await linkOf(anna), calleeOptions);
    await press(boris, "Boris");
    await bothSeeFrames(anna, boris);
    return { anna, boris };
  }

  return {
    stack: () => stack,
    url: () => stack.url,
    openPage,
    call,
    picture: (page, name) => page.screenshot({ path: `${PICTURES}${name}.png` }),
  };
}
