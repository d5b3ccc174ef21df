// One function for each type of panel that the dashboard has, from the panel's JSON and its series to SVG.
//
// A series is { name, values }: one value for each moment, all series with the same moments; null where there is
// none. `box` is the place of the panel on the page.

import { element, round, text } from "./svg.mjs";
import { decadeTicks, format, linearTicks } from "./units.mjs";

const PALETTE = [
  "#3274b8", "#e0752d", "#3f9f5f", "#c4383a", "#8a67b5", "#2ba3ad", "#b8952b", "#d264a0", "#7a8b99", "#6b8e23",
  "#a0522d", "#5c6bc0", "#9e9d24", "#455a64",
];
const BLUES = ["#dbe9f6", "#bad6eb", "#89bedc", "#539ecd", "#2b7bba", "#0b559f", "#08306b"];
const COLORS = { green: "#2e8b57", orange: "#d9822b", red: "#c4383a" };
const TITLE_HEIGHT = 26;
const AXIS_WIDTH = 44;
const TIME_AXIS_HEIGHT = 22;
const SIDE_LEGEND_WIDTH = 190;
const LEGEND_LINE = 13;
const CHARACTER = 5.8; // the width of one, on average, at the size of legends

// ---- Axes ----

/** How values and moments become places in the plot. */
function makeScale(plot, ticks, isLog, moments) {
  const measure = isLog ? Math.log10 : Number;
  const [low, high] = [measure(ticks[0]), measure(ticks.at(-1))];
  return {
    x: (i) => plot.x + (plot.width * i) / (moments - 1),
    y: (value) => {
      const share = (measure(value) - low) / (high - low);
      return plot.y + plot.height * (1 - Math.min(Math.max(share, 0), 1));
    },
  };
}

/** At most about five labels, or they would touch. */
function drawValueAxis(plot, ticks, scale, unit) {
  const every = Math.ceil(ticks.length / 5);
  return ticks
    .filter((_, i) => i % every === 0)
    .map((tick) => {
      const y = round(scale.y(tick));
      const line = element("path", { class: "grid", d: `M${round(plot.x)} ${y}h${round(plot.width)}` });
      return line + text(plot.x - 4, y + 3, format(tick, unit), { class: "tick end" });
    })
    .join("");
}

/** The time since the first moment, as minutes and seconds. */
function drawTimeAxis(plot, seconds) {
  const step = [10, 30, 60, 120, 300, 600, 1800, 3600].find((candidate) => seconds / candidate <= 5) ?? 7200;
  const labels = [];
  for (let at = 0; at <= seconds; at += step) {
    const clock = `${Math.floor(at / 60)}:${String(at % 60).padStart(2, "0")}`;
    labels.push(text(plot.x + (plot.width * at) / seconds, plot.y + plot.height + 11, clock, { class: "tick middle" }));
  }
  return labels.join("");
}

// ---- Legends ----

/** Rows of entries that fit into `width`. Series that are nothing but zero share one entry without a color. */
function layLegend(series, hidden, width) {
  const entries = series.map(({ name }, i) => ({ name, color: PALETTE[i % PALETTE.length] }));
  if (hidden > 0) {
    entries.push({ name: series.length === 0 ? "all 0" : `${hidden} more: 0` });
  }
  const rows = [[]];
  let used = 0;
  for (const entry of entries) {
    entry.width = (entry.color ? 11 : 0) + entry.name.length * CHARACTER + 8;
    if (used + entry.width > width && rows.at(-1).length > 0) {
      rows.push([]);
      used = 0;
    }
    entry.x = used;
    rows.at(-1).push(entry);
    used += entry.width;
  }
  return rows;
}

function drawLegend(rows, x, y) {
  return rows
    .flatMap((row, i) =>
      row.map((entry) => {
        const top = y + i * LEGEND_LINE;
        const left = x + entry.x;
        if (!entry.color) {
          return text(left, top, entry.name);
        }
        const swatch = element("rect", { x: left, y: top - 7, width: 8, height: 8, fill: entry.color });
        return swatch + text(left + 11, top, entry.name);
      }),
    )
    .join("");
}

// ---- Lines ----

/** The pieces of a series between gaps, as lists of [x, y]; what lies on a level line is left out. */
function tracePieces(values, scale) {
  const pieces = [[]];
  values.forEach((value, i) => {
    if (value === null) {
      pieces.push([]);
      return;
    }
    const points = pieces.at(-1);
    const y = round(scale.y(value));
    if (points.length > 1 && points.at(-1)[1] === y && points.at(-2)[1] === y) {
      points.pop();
    }
    points.push([round(scale.x(i)), y]);
  });
  return pieces.filter((points) => points.length > 0);
}

function writePath(points) {
  return points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${x} ${y}`).join("");
}

function drawLine(values, scale, color) {
  const d = tracePieces(values, scale).map(writePath).join("");
  return element("path", { class: "line", stroke: color, d });
}

/** Each series on top of those before it; a missing value counts as none. */
function stack(series) {
  const below = series[0]?.values.map(() => 0) ?? [];
  return series.map(({ name, values }) => {
    values.forEach((value, i) => (below[i] += value ?? 0));
    return { name, values: [...below] };
  });
}

/** From the top down, each area over the ones above it, so that the rest of an area is its share. */
function drawStack(series, scale, floor) {
  return series
    .map(({ values }, i) => {
      const [points] = tracePieces(values, scale);
      const d = `${writePath(points)}L${points.at(-1)[0]} ${floor}H${points[0][0]}z`;
      return element("path", { fill: PALETTE[i % PALETTE.length], d });
    })
    .reverse()
    .join("");
}

function drawThreshold(panel, plot, ticks, scale) {
  const { custom, thresholds } = panel.fieldConfig.defaults;
  const limit = custom.thresholdsStyle && thresholds.steps.at(-1).value;
  if (!limit || limit < ticks[0] || limit > ticks.at(-1)) {
    return "";
  }
  return element("path", { class: "limit", d: `M${round(plot.x)} ${round(scale.y(limit))}h${round(plot.width)}` });
}

function chooseTicks(values, isLog, unit) {
  const positive = values.filter((value) => value > 0);
  if (!isLog) {
    return linearTicks(Math.max(0, ...values), unit);
  }
  return positive.length === 0 ? [0.001, 1] : decadeTicks(Math.min(...positive), Math.max(...positive));
}

function drawTimeseries(panel, box, series, seconds) {
  const { unit, custom } = panel.fieldConfig.defaults;
  const isLog = custom.scaleDistribution?.type === "log";
  const shown = series.filter(({ values }) => values.some((value) => value !== null && value !== 0));
  const stacked = custom.stacking !== undefined;
  const drawn = stacked ? stack(shown) : shown;
  const isSide = panel.options.legend.placement === "right";
  const rows = layLegend(shown, series.length - shown.length, isSide ? 1 : box.width - 20);
  const plot = {
    x: box.x + AXIS_WIDTH,
    y: box.y + TITLE_HEIGHT,
    width: box.width - AXIS_WIDTH - 12 - (isSide ? SIDE_LEGEND_WIDTH : 0),
    height: box.height - TITLE_HEIGHT - TIME_AXIS_HEIGHT - (isSide ? 0 : rows.length * LEGEND_LINE),
  };
  const values = drawn.flatMap((one) => one.values).filter((value) => value !== null);
  const ticks = chooseTicks(values, isLog, unit);
  const scale = makeScale(plot, ticks, isLog, series[0]?.values.length ?? 2);
  return [
    drawValueAxis(plot, ticks, scale, unit),
    drawTimeAxis(plot, seconds),
    stacked
      ? drawStack(drawn, scale, round(plot.y + plot.height))
      : drawn.map((one, i) => drawLine(one.values, scale, PALETTE[i % PALETTE.length])).join(""),
    drawThreshold(panel, plot, ticks, scale),
    isSide
      ? drawLegend(rows, plot.x + plot.width + 16, plot.y + 8)
      : drawLegend(rows, box.x + 12, plot.y + plot.height + 26),
  ].join("");
}

// ---- Heat maps ----

/** Cumulative buckets, named by their bounds, become what lies between two bounds each; lowest first. */
function splitBuckets(series) {
  const sorted = series.map(({ name, values }) => ({ bound: Number(name.replace("+Inf", "Infinity")), values }));
  sorted.sort((a, b) => a.bound - b.bound);
  return sorted.map(({ bound, values }, i) => ({
    bound,
    values: values.map((value, at) => Math.max(0, (value ?? 0) - (i > 0 ? (sorted[i - 1].values[at] ?? 0) : 0))),
  }));
}

/** Cells of one color in one path, and cells side by side in one piece. */
function drawCells(buckets, cell, most) {
  const paths = BLUES.map(() => "");
  const darkest = BLUES.length - 1;
  const shadeOf = (value) =>
    value < 1e-9 ? -1 : Math.min(darkest, Math.floor(Math.sqrt(value / most) * BLUES.length));
  buckets.forEach(({ values }, row) => {
    for (let from = 0, to; from < values.length; from = to) {
      const shade = shadeOf(values[from]);
      for (to = from + 1; to < values.length && shadeOf(values[to]) === shade; to++);
      if (shade >= 0) {
        const { x, y, height } = cell(from, row);
        paths[shade] += `M${round(x)} ${round(y)}h${round((to - from) * cell.width)}v${round(height)}H${round(x)}z`;
      }
    }
  });
  return paths.map((d, i) => (d === "" ? "" : element("path", { fill: BLUES[i], d }))).join("");
}

function drawHeatmap(panel, box, series, seconds) {
  const plot = {
    x: box.x + AXIS_WIDTH,
    y: box.y + TITLE_HEIGHT,
    width: box.width - AXIS_WIDTH - 12,
    height: box.height - TITLE_HEIGHT - TIME_AXIS_HEIGHT,
  };
  const all = splitBuckets(series);
  const isFilled = ({ values }) => values.some((value) => value >= 1e-9);
  const first = all.findIndex(isFilled);
  if (first < 0) {
    return drawTimeAxis(plot, seconds);
  }
  const buckets = all.slice(first, all.findLastIndex(isFilled) + 1);
  const height = plot.height / buckets.length;
  const bottom = plot.y + plot.height;
  const cell = (column, row) => ({ x: plot.x + column * cell.width, y: bottom - (row + 1) * height, height });
  cell.width = plot.width / buckets[0].values.length;
  const every = Math.ceil(buckets.length / 5);
  const { unit } = panel.options.yAxis;
  const labels = buckets.map(({ bound }, row) =>
    row % every === 0 && bound < Infinity
      ? text(plot.x - 4, bottom - (row + 1) * height + 3, format(bound, unit), { class: "tick end" })
      : "",
  );
  const most = Math.max(...buckets.flatMap(({ values }) => values));
  return labels.join("") + drawTimeAxis(plot, seconds) + drawCells(buckets, cell, most);
}

// ---- Single numbers ----

function drawStat(panel, box, series) {
  const { unit, mappings = [], thresholds } = panel.fieldConfig.defaults;
  const value = series[0]?.values.findLast((candidate) => candidate !== null);
  let words = value === undefined ? "no data" : format(unit === "s" ? value : Math.round(value), unit);
  let color = thresholds.steps.findLast((step) => step.value === null || value >= step.value).color;
  const mapped = mappings[0]?.options[value];
  if (mapped !== undefined) {
    ({ text: words, color } = mapped);
  } else if (panel.options.textMode === "name") {
    words = series[0]?.name ?? words;
  }
  return text(box.x + box.width / 2, box.y + box.height - 18, words, { class: "stat middle", fill: COLORS[color] });
}

// ---- Panels ----

const DRAWERS = { timeseries: drawTimeseries, heatmap: drawHeatmap, stat: drawStat };

/** A panel with its frame and title. */
export function drawPanel(panel, box, series, seconds) {
  const draw = DRAWERS[panel.type];
  if (draw === undefined) {
    throw new Error(`"${panel.title}" is a ${panel.type}, which can't be drawn.`);
  }
  const frame = element("rect", { class: "panel", x: box.x, y: box.y, width: box.width, height: box.height, rx: 3 });
  const title = text(box.x + 10, box.y + 16, panel.title, { class: "title" });
  return `<g>${frame}${title}${draw(panel, box, series, seconds)}</g>`;
}

export const PANEL_STYLE =
  "svg{font:10px system-ui,'Segoe UI',Helvetica,Arial,sans-serif;fill:#24292f}" +
  ".panel{fill:#fff;stroke:#dfe2e6}.title{font-size:11px;font-weight:600}.row{font-size:13px;font-weight:600}" +
  ".tick{font-size:9px;fill:#6b737c}.end{text-anchor:end}.middle{text-anchor:middle}" +
  ".stat{font-size:22px;font-weight:600}.grid{stroke:#eceef0}.line{fill:none;stroke-width:1.3;stroke-linejoin:round}" +
  ".limit{stroke:#c4383a;stroke-dasharray:5 4}";
