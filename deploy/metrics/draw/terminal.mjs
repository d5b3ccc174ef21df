// Draws a terminal's screen as SVG, from its text with escape sequences on standard input: what
// `tmux capture-pane -e -p` writes.
//
//     node terminal.mjs --columns N --rows N --title TEXT
//
// Known are colors, bold, dim, underlined and reversed text (ECMA-48, SGR) and the line drawing set of the VT100.
// Other sequences do not occur in a captured screen, and are left out.

import { text as readAll } from "node:stream/consumers";
import { parseArgs } from "node:util";

import { element, picture, round, text } from "./svg.mjs";

const CELL = { width: 8, height: 17 };
const MARGIN = 12;
const BASELINE = 13; // from a row's top
const GROUND = "#161b22";
const INK = "#d0d7de";
const COLORS = [
  "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4",
  "#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc",
];
const PLAIN = { ink: null, ground: null, bold: false, dim: false, underlined: false, reversed: false };
const VT100_LINES = new Map([..."ajklmnqtuvwx"].map((letter, i) => [letter, [..."▒┘┐┌└┼─├┤┴┬│"][i]]));

// ---- Reading ----

/** One of 256: 16 named ones, a cube of 6 × 6 × 6, and 24 grays. */
function indexedColor(index) {
  if (index < 16) {
    return COLORS[index];
  }
  const level = (step) => (step === 0 ? 0 : 55 + 40 * step);
  const rest = index - 16;
  const [red, green, blue] =
    index < 232
      ? [level(Math.floor(rest / 36)), level(Math.floor(rest / 6) % 6), level(rest % 6)]
      : Array(3).fill(8 + 10 * (index - 232));
  return `rgb(${red},${green},${blue})`;
}

const ATTRIBUTES = {
  0: PLAIN,
  1: { bold: true },
  2: { dim: true },
  4: { underlined: true },
  7: { reversed: true },
  22: { bold: false, dim: false },
  24: { underlined: false },
  27: { reversed: false },
  39: { ink: null },
  49: { ground: null },
};

/** What one SGR sequence makes of the attributes; `codes` are its numbers. */
function applyCodes(before, codes) {
  let after = before;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    const [tens, unit] = [Math.floor(code / 10), code % 10];
    if (code === 38 || code === 48) {
      const color = codes[i + 1] === 5 ? indexedColor(codes[i + 2]) : `rgb(${codes.slice(i + 2, i + 5)})`;
      after = { ...after, [code === 38 ? "ink" : "ground"]: color };
      i += codes[i + 1] === 5 ? 2 : 4;
    } else if (code in ATTRIBUTES) {
      after = { ...after, ...ATTRIBUTES[code] };
    } else if ([3, 4, 9, 10].includes(tens) && unit < 8) {
      const color = COLORS[unit + (tens >= 9 ? 8 : 0)];
      after = { ...after, [tens === 3 || tens === 9 ? "ink" : "ground"]: color };
    }
  }
  return after;
}

/** The screen as rows of cells { character, attributes }. */
function readScreen(input) {
  const rows = [[]];
  let attributes = PLAIN;
  let drawsLines = false;
  for (const [token, codes] of input.matchAll(/\x1b\[([\d;:]*)m|\x1b\[[^@-~]*[@-~]|\x1b.|[^]/gu)) {
    if (codes !== undefined) {
      attributes = applyCodes(attributes, codes.split(/[;:]/).map(Number));
    } else if (token === "\n") {
      rows.push([]);
    } else if (token === "\x0e" || token === "\x0f") {
      drawsLines = token === "\x0e";
    } else if (token >= " ") {
      const character = (drawsLines && VT100_LINES.get(token)) || token;
      rows.at(-1).push({ character, attributes });
    }
  }
  return rows;
}

// ---- Drawing ----

function colorsOf({ ink, ground, reversed }) {
  return reversed ? { ink: ground ?? GROUND, ground: ink ?? INK } : { ink: ink ?? INK, ground };
}

/** Cells side by side that look the same, as { column, cells }. */
function splitRuns(row) {
  const runs = [];
  row.forEach((cell, column) => {
    const last = runs.at(-1);
    if (last !== undefined && JSON.stringify(last.cells[0].attributes) === JSON.stringify(cell.attributes)) {
      last.cells.push(cell);
    } else {
      runs.push({ column, cells: [cell] });
    }
  });
  return runs;
}

/** Bars are drawn, since a font may leave gaps between them: what part of its cell a block character fills. */
function blockOf(character) {
  const code = character.codePointAt(0);
  if (code >= 0x2581 && code <= 0x2588) {
    const share = (code - 0x2580) / 8;
    return { top: 1 - share, width: 1, height: share };
  }
  return code > 0x2588 && code <= 0x258f ? { top: 0, width: (0x2590 - code) / 8, height: 1 } : null;
}

function drawBlocks(cells, x, y, ink) {
  const pieces = cells.map(({ character }, i) => {
    const block = blockOf(character);
    if (block === null) {
      return "";
    }
    const [width, height] = [round(block.width * CELL.width), round(block.height * (CELL.height - 2))];
    const top = round(y + 1 + block.top * (CELL.height - 2));
    return `M${round(x + i * CELL.width)} ${top}h${width}v${height}h-${width}z`;
  });
  const d = pieces.join("");
  return d === "" ? "" : element("path", { fill: ink, d });
}

/** Words keep their columns whatever the font: each has its place and its length. */
function drawWords(cells, x, y, ink, { bold, dim, underlined }) {
  const words = cells.map(({ character }) => (blockOf(character) === null ? character : " ")).join("");
  const look = {
    fill: ink === INK ? undefined : ink,
    "font-weight": bold ? "bold" : undefined,
    opacity: dim ? 0.6 : undefined,
    "text-decoration": underlined ? "underline" : undefined,
  };
  return [...words.matchAll(/\S+( \S+)*/g)]
    .map((match) => {
      const at = [...words.slice(0, match.index)].length;
      const textLength = [...match[0]].length * CELL.width;
      return text(x + at * CELL.width, y + BASELINE, match[0], { textLength, ...look });
    })
    .join("");
}

function drawRun({ column, cells }, row) {
  const { attributes } = cells[0];
  const { ink, ground } = colorsOf(attributes);
  const [x, y] = [MARGIN + column * CELL.width, MARGIN + row * CELL.height];
  const [width, height] = [cells.length * CELL.width, CELL.height];
  const behind = ground === null ? "" : element("rect", { x, y, width, height, fill: ground });
  return behind + drawBlocks(cells, x, y, ink) + drawWords(cells, x, y, ink, attributes);
}

const { values: options } = parseArgs({
  options: { columns: { type: "string" }, rows: { type: "string" }, title: { type: "string" } },
});
const screen = readScreen(await readAll(process.stdin)).slice(0, Number(options.rows));
const content = screen.map((cells, row) => splitRuns(cells).map((run) => drawRun(run, row)).join(""));
const style =
  `svg{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:${INK};white-space:pre}`;
const [width, height] = [options.columns * CELL.width + 2 * MARGIN, options.rows * CELL.height + 2 * MARGIN];
process.stdout.write(picture(width, height, options.title, style, GROUND, content.filter(Boolean)));
