# From the runs (an array on the input) and figures.json ($figures) to medians, bars and failures.
#
#   cells     by metric, then by server: {median, min, max, count, failed}
#   bars      {figure, title, unit, bar, ours, other, against, ratio, is_met}; is_met is null where a figure is missing
#   peers     what one of the other servers measured as well, beside the best of these: {figure, title, unit, ours, best, name,
#             ratio, ratios, is_behind, is_near}; ratios is by server, is_behind is true from half a per cent on, and is_near
#             where the spreads overlap
#   failures  {round, server, case, error}

def median:
  sort
  | if length == 0 then null
    elif length % 2 == 1 then .[(length - 1) / 2]
    else (.[length / 2 - 1] + .[length / 2]) / 2
    end;

# The value of a metric in each round that has it. One with `minus` is the difference of two cases in the same
# round, over the share of operations that the difference is made of.
def by_round($metric; $case): map(select(.case == $case and .result) | {key: "\(.round)", value: .result | getpath($metric.value / ".")})
  | map(select(.value != null)) | from_entries;
def values($metric):
  by_round($metric; $metric.case) as $values
  | if $metric.minus then
      by_round($metric; $metric.minus) as $less
      | [$values | to_entries[] | select($less[.key]) | (.value - $less[.key]) / $metric.share]
    else [$values[]]
    end;

def cell($metric):
  values($metric) as $values
  | { median: ($values | median), min: ($values | min), max: ($values | max), count: ($values | length),
      failed: (map(select(.error and (.case == $metric.case or .case == $metric.minus))) | length) }
  | select(.count + .failed > 0);

def cells($metrics):
  group_by(.server) as $servers
  | [ $metrics[] as $metric
      | { key: $metric.name,
          value: [ $servers[] | {key: .[0].server, value: cell($metric)}
                   | select(($metric.servers != "growth") or (.key | . == "ours" or . == "floor-gather")) ] | from_entries } ]
  | from_entries;

def is_met($at_most): if . == null or $at_most == null then null else . <= $at_most end;

def ratio($a; $b): if $a == null or $b == null or $b == 0 then null else $a / $b end;

# A figure as a multiple of another one, or below a bound. Without `at_most` it is shown and not judged.
def bar_of_one($bar; $metrics):
  ($metrics[] | select(.name == $bar.metric)) as $metric
  | ($bar.times // {server: "floor-gather", metric: $bar.metric}) as $against
  | .[$bar.metric].ours.median as $ours
  | .[$against.metric][$against.server].median as $other
  | ratio($ours; $other) as $ratio
  | { title: $metric.title, unit: $metric.unit, ours: $ours, other: $other, ratio: $ratio,
      against: (if $against.metric != $bar.metric then "\($against.server), \($against.metric)" else $against.server end),
      bar: (if $bar.at_most == null then "–" elif $bar.times then "≤ \($bar.at_most) ×" else "≤ \($bar.at_most)" end),
      is_met: ((if $bar.times then $ratio else $ours end) | is_met($bar.at_most)) };

# A row of figures that stays within a share of its first.
def bar_of_row($bar; $metrics):
  . as $cells
  | [ $bar.metrics[] as $name
      | $cells[$name].ours.median as $ours
      | if $bar.over then ratio($ours; $cells[$name][$bar.over].median) else $ours end ] as $row
  | if ($row | any(. == null)) then null else [$row[1:][] / $row[0] - 1] end
  | { title: $bar.title, bar: "± \($bar.flat * 100) %", deviations: .,
      is_met: (if . == null then null else map(fabs) | max <= $bar.flat end) };

def bars($figures):
  . as $cells
  | [ $figures.bars[] as $bar
      | $cells | if $bar.flat then bar_of_row($bar; $figures.metrics) else bar_of_one($bar; $figures.metrics) end
      | . + {figure: $bar.figure} ];

# The servers that somebody could use in the place of ours.
def is_peer: . != "ours" and . != "openssl" and (startswith("floor") | not);

def peers($metrics):
  . as $cells
  | [ $metrics[]
      | select(.minus | not)
      | $cells[.name] as $by_server
      | $by_server.ours as $ours
      | [$by_server | to_entries[] | select((.key | is_peer) and .value.median != null)] as $others
      | select($ours.median != null and $others != [])
      | ($others | min_by(.value.median)) as $best
      | { figure, title, unit, ours: $ours.median, best: $best.value.median, name: $best.key,
          ratio: ratio($ours.median; $best.value.median),
          ratios: ($others | map({key, value: ratio($ours.median; .value.median)}) | from_entries),
          is_behind: (ratio($ours.median; $best.value.median) | . != null and . >= 1.005), is_near: ($ours.min <= $best.value.max) } ];

. as $runs
| cells($figures.metrics) as $cells
| { cells: $cells, bars: ($cells | bars($figures)), peers: ($cells | peers($figures.metrics)),
    failures: [$runs[] | select(.error) | {round, server, case, error}] }
