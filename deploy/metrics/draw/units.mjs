// Numbers as people read them, in the units of Grafana that the dashboard uses; and where an axis has its ticks.

const SI = [[1, ""], [1e3, "k"], [1e6, "M"], [1e9, "G"]];
const IEC = [[1, " B"], [1024, " KiB"], [1024 ** 2, " MiB"], [1024 ** 3, " GiB"]];
const TIMES = [[1e-6, " µs"], [1e-3, " ms"], [1, " s"], [60, " min"], [3600, " h"], [86400, " d"]];

/** Steps of each unit, rising: from this value on it is told in that. */
const UNITS = {
  none: [[1, ""]],
  short: SI,
  cps: SI.map(([factor, prefix]) => [factor, `${prefix}/s`]),
  bytes: IEC,
  Bps: SI.map(([factor, prefix]) => [factor, ` ${prefix}B/s`]),
  percentunit: [[0.01, " %"]],
  s: TIMES,
};

function stepsOf(unit) {
  const steps = UNITS[unit];
  if (steps === undefined) {
    throw new Error(`The unit "${unit}" can't be drawn.`);
  }
  return steps;
}

/** Three digits and a unit: 0.00125 in "s" is "1.25 ms". */
export function format(value, unit) {
  const steps = stepsOf(unit);
  if (value === 0) {
    return "0";
  }
  // What rounds up to the next step belongs to that: 999.9 µs is 1 ms.
  const [factor, suffix] = steps.findLast(([least]) => Math.abs(value) * 1.0005 >= least) ?? steps[0];
  return `${Number((value / factor).toPrecision(3))}${suffix}`;
}

/** Round values from 0 to at least `max`, about three of them; the last one is where the axis ends. */
export function linearTicks(max, unit) {
  const steps = stepsOf(unit);
  const top = max > 0 ? max : steps[0][0];
  const [factor] = steps.findLast(([least]) => top >= least) ?? steps[0];
  const rough = top / factor / 3;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((nice) => nice * decade >= rough) * decade * factor;
  const count = Math.ceil(top / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}

/** Powers of ten that enclose the values. */
export function decadeTicks(min, max) {
  const first = Math.floor(Math.log10(min));
  const last = Math.max(Math.ceil(Math.log10(max)), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}
