// What the oldest browsers know, by MDN's compatibility data.
//
// The page is held to the first list, its client to the second: other pages load that one too. To raise a list is to
// shut somebody out, so it is a decision, and the README beside what is linted names the same browsers.

import { createRequire } from "node:module";

export const data = createRequire(import.meta.url)("@mdn/browser-compat-data");

const list = ({ chrome, firefox, safari, ios }) => ({
  chrome,
  chrome_android: chrome,
  edge: chrome,
  firefox,
  firefox_android: firefox,
  safari,
  safari_ios: ios,
});

export const PAGE = list({ chrome: "93", firefox: "98", safari: "15.4", ios: "15.4" });
export const CLIENT = list({ chrome: "80", firefox: "75", safari: "14.1", ios: "14.5" });

const NAMES = { chrome: "Chrome", edge: "Edge", firefox: "Firefox", safari: "Safari", safari_ios: "iOS" };

/** -1, 0 or 1 for two versions as MDN writes them: "15.4", or "≤37" for no later than that. */
function compareVersions(a, b) {
  const [left, right] = [a, b].map((text) => text.replace("≤", "").split(".").map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) {
      return Math.sign(difference);
    }
  }
  return 0;
}

/** Does this one of MDN's statements cover a version? Behind a flag, or by another name, it covers none. */
function covers({ version_added: added, version_removed: removed, flags, prefix, alternative_name: other }, version) {
  if (typeof added !== "string" || added === "preview" || flags || prefix || other) {
    return false;
  }
  return compareVersions(added, version) <= 0 && (typeof removed !== "string" || compareVersions(removed, version) > 0);
}

/** The browsers of a list that do not know a feature, by name, as in "Safari 15.4". The feature is a node of MDN's data;
 * what has no statement on a browser is taken for known. */
export function strangersTo(feature, browsers) {
  const support = feature.__compat?.support ?? {};
  return Object.entries(browsers)
    .filter(([browser, version]) => {
      const statements = [support[browser] ?? []].flat();
      return statements.length > 0 && !statements.some((statement) => covers(statement, version));
    })
    .map(([browser, version]) => NAMES[browser] && `${NAMES[browser]} ${version}`)
    .filter(Boolean);
}
