// Draws a Grafana dashboard as one SVG page, without Grafana: asks a Prometheus for the expressions of each panel, and
// takes places, titles, units and legends from the dashboard itself.
//
//     node dashboard.mjs --prometheus URL --dashboard FILE --instance NAME --from UNIX --to UNIX --step SECONDS
//
// Only what our dashboard uses is known; anything else is an error, so that nothing is left out unseen.

import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { drawPanel, PANEL_STYLE } from "./panels.mjs";
import { picture, text } from "./svg.mjs";

const COLUMN = 42; // pixels of one of the grid's 24 columns
const LINE = 26; // and of one of its lines
const GAP = 6;
const MARGIN = 8;

function readArguments() {
  const type = "string";
  const names = ["prometheus", "dashboard", "instance", "from", "to", "step"];
  const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type }])) });
  const missing = names.find((name) => values[name] === undefined);
  if (missing !== undefined) {
    throw new Error(`--${missing} is missing.`);
  }
  return { ...values, from: Number(values.from), to: Number(values.to), step: Number(values.step) };
}

/** What Grafana would put in: four scrapes, here of a second each, but never less than a step shows. */
function fillVariables(expression, { instance, step }) {
  return expression.replaceAll("$__rate_interval", `${Math.max(4, step) + 1}s`).replaceAll("$instance", instance);
}

function fillLegend(format, labels) {
  return format.replaceAll(/{{(\w+)}}/g, (_, label) => labels[label] ?? "");
}

/** One value for each moment; null where Prometheus has none, or no number. */
function alignValues(pairs, { from, to, step }) {
  const values = Array.from({ length: Math.floor((to - from) / step) + 1 }, () => null);
  for (const [moment, value] of pairs) {
    const number = Number(value);
    values[Math.round((moment - from) / step)] = Number.isFinite(number) ? number : null;
  }
  return values;
}

async function askPrometheus(target, options) {
  const { prometheus, from, to, step } = options;
  const query = new URLSearchParams({ query: fillVariables(target.expr, options), start: from, end: to, step });
  const response = await fetch(`${prometheus}/api/v1/query_range?${query}`);
  const { status, error, data } = await response.json();
  if (status !== "success") {
    throw new Error(`${target.expr}: ${error}`);
  }
  return data.result
    .map(({ metric, values }) => ({
      name: fillLegend(target.legendFormat, metric),
      values: alignValues(values, options),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function placePanel({ x, y, w, h }) {
  return { x: MARGIN + x * COLUMN, y: MARGIN + y * LINE, width: w * COLUMN - GAP, height: h * LINE - GAP };
}

async function drawAny(panel, options) {
  const box = placePanel(panel.gridPos);
  if (panel.type === "row") {
    return text(box.x + 2, box.y + box.height - 4, panel.title, { class: "row" });
  }
  const series = (await Promise.all(panel.targets.map((target) => askPrometheus(target, options)))).flat();
  return drawPanel(panel, box, series, options.to - options.from);
}

const options = readArguments();
const dashboard = JSON.parse(await readFile(options.dashboard, "utf8"));
const lines = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
const content = await Promise.all(dashboard.panels.map((panel) => drawAny(panel, options)));
const [width, height] = [24 * COLUMN + 2 * MARGIN - GAP, lines * LINE + 2 * MARGIN - GAP];
process.stdout.write(picture(width, height, dashboard.title, PANEL_STYLE, "#f4f5f7", content));
