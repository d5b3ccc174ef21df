// What holds for every screen of the page, in every size: each check gives its faults as lines to read.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const axeSource = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const ours = await readFile(new URL("in_page.js", import.meta.url), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Make a page ready to be checked, and again after each reload of it. */
export async function prepare(page) {
  await page.evaluate(`if (!window.screenChecks) { ${axeSource};\n${ours} }`);
}

/** When all that follows from a new size or scheme has been drawn. */
export const settled = (page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

/** By axe-core: names, roles, contrast and the like. */
export async function inaccessible(page, { rules = RULES } = {}) {
  const violations = await page.evaluate(
    async (values) => (await axe.run(document, { runOnly: values, resultTypes: ["violations"] })).violations,
    rules,
  );
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target }) => `${id}: ${help}: ${target}`));
}

export const faintTexts = (page) => page.evaluate(() => window.screenChecks.faintTexts());
export const cutControls = (page, options) => page.evaluate((values) => window.screenChecks.cutControls(values), options);
export const burstTexts = (page) => page.evaluate(() => window.screenChecks.burstTexts());

/** By the Tab key: all controls must be met, each with a ring around it, and nothing may hold the focus. */
export async function unreachable(page) {
  const names = await page.evaluate(() => window.screenChecks.numberControls());
  const met = new Set();
  const faults = new Set();
  let last = null;
  // One round, with a stop at the page itself, from wherever the focus is.
  for (let i = 0; i < names.length + 2; i++) {
    await page.keyboard.press("Tab");
    const { number, name, hasRing } = await page.evaluate(() => window.screenChecks.focused());
    if (number === -1) {
      last = null;
      continue;
    }
    if (number === last && names.length > 1) {
      faults.add(`${name} does not let the focus go`);
    }
    if (!hasRing) {
      faults.add(`${name} has the focus, and nothing shows it`);
    }
    met.add(number);
    last = number;
  }
  names.forEach((name, i) => met.has(i) || faults.add(`${name} is not reached by Tab`));
  return [...faults];
}
