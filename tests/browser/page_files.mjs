// The files that the page is made of: what its HTML names, what its scripts import and ask for, and no others.

import { readFile, readdir } from "node:fs/promises";
import { join, posix } from "node:path";

/** What a file names, relative to itself. */
function namesIn(file, text) {
  const all = (pattern) => [...text.matchAll(pattern)].map(([, name]) => name);
  if (file.endsWith(".html")) {
    return all(/<(?:link|script|img)\b[^>]*?\b(?:href|src)="([^"]+)"/g);
  }
  if (/\.m?js$/.test(file)) {
    // A fetch is relative to the page, as which the scripts know no folder.
    const asked = all(/\bfetch\("([\w.]+)"/g).map((name) => posix.relative(posix.dirname(file), name));
    return [...all(/\b(?:import|from)\s*\(?\s*["`](\.[^"`]+)["`]/g), ...asked];
  }
  return file.endsWith(".css") ? all(/url\("?([^")]+)"?\)|@import "([^"]+)"/g) : [];
}

/** The files that a name with placeholders may stand for: that of a language, say. */
async function expand(directory, name) {
  if (!name.includes("${")) {
    return [name];
  }
  const pattern = new RegExp(`^${posix.basename(name).replace(".", "\\.").replace(/\$\{.*?\}/g, "\\w+")}$`);
  const folder = posix.dirname(name);
  const names = await readdir(join(directory, folder));
  return names.filter((one) => pattern.test(one)).map((one) => posix.join(folder, one));
}

/** Their paths below `directory`, the page itself first. */
export async function pageFiles(directory) {
  const found = new Set(["index.html"]);
  for (const file of found) { // which grows meanwhile
    const text = await readFile(join(directory, file), "utf8");
    for (const name of namesIn(file, text).filter((one) => !one.startsWith("data:"))) {
      const names = await expand(directory, posix.join(posix.dirname(file), name));
      names.forEach((one) => found.add(one));
    }
  }
  return [...found];
}

/** Files of a kind that a page loads, which nothing of it names. */
export async function strayFiles(directory) {
  const files = await pageFiles(directory);
  const all = (await readdir(directory, { recursive: true })).filter((name) => /\.(m?js|css|html|svg|png)$/.test(name));
  return all.filter((name) => !files.includes(name));
}
