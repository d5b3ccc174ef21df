// Draws apple-touch-icon.png: `node draw_icon.mjs` after icon-maskable.svg was changed.
//
// iOS takes no SVG. It rounds the corners itself, and shows what is transparent as black, so this is the drawing that
// fills its square.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";

import { chromium } from "playwright-core";

const PWA = new URL("../../deploy/pwa/", import.meta.url);
export const DRAWING = { file: fileURLToPath(new URL("icon-maskable.svg", PWA)), type: "image/svg+xml" };
export const ICON = { file: fileURLToPath(new URL("apple-touch-icon.png", PWA)), type: "image/png" };
export const SIZE = 180;

/** A picture as Chromium draws it at that size: { width: its own, pixels: RGBA row by row }. */
export async function draw({ file, type }, size = SIZE) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--headless=new", "--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const url = `data:${type};base64,${(await readFile(file)).toString("base64")}`;
    return await page.evaluate(async ([source, side]) => {
      const image = new Image(side, side);
      image.src = source;
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
      const context = canvas.getContext("2d", { alpha: false });
      context.drawImage(image, 0, 0, side, side);
      const pixels = Array.from(context.getImageData(0, 0, side, side).data);
      return { width: image.naturalWidth, pixels };
    }, [url, size]);
  } finally {
    await browser.close();
  }
}

/** CRC-32 as PNG has it (RFC 2083, 3.4); Node.js 18 has none of its own. */
function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  }
  return (crc ^ -1) >>> 0;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [data.length, crc32(body)].map((number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    return bytes;
  });
  return Buffer.concat([length, body, check]);
}

/** A PNG with a palette: Chromium's own, in full colour, is twice as large. */
function encode(pixels, size) {
  const colours = new Map(); // to their number
  const rows = Buffer.alloc(size * (size + 1)); // each begins with its filter: none
  for (let i = 0; i < size * size; i++) {
    const colour = pixels.slice(4 * i, 4 * i + 3).map((value) => value & 0xf8 | value >> 5); // 32 steps are smooth enough
    const key = colour.join();
    if (!colours.has(key)) {
      colours.set(key, { number: colours.size, colour });
    }
    rows[i + Math.floor(i / size) + 1] = colours.get(key).number;
  }
  if (colours.size > 256) {
    throw new Error(`${colours.size} colours are too many for a palette`);
  }
  const header = Buffer.from([0, 0, 0, size, 0, 0, 0, size, 8, 3, 0, 0, 0]);
  const palette = Buffer.from([...colours.values()].flatMap(({ colour }) => colour));
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  const parts = [chunk("IHDR", header), chunk("PLTE", palette), chunk("IDAT", deflateSync(rows, { level: 9 }))];
  return Buffer.concat([signature, ...parts, chunk("IEND", Buffer.alloc(0))]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { pixels } = await draw(DRAWING);
  await writeFile(ICON.file, encode(pixels, SIZE));
}
