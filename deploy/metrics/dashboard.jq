# From what Prometheus answered (an array of {panel, legend, metric, values} on the input) to what gnuplot is told: for each
# panel of $dashboard a few lines that say what is in it, its data, and then to load bench/plot/panel.gp. $from, $to and
# $step are seconds. What our dashboard does not use is an error, so that nothing is left out unseen.

def quoted: "'" + gsub("'"; "''") + "'";
def say($name): "\($name) = " + if type == "string" then quoted else tostring end;
def name: .metric as $labels | .legend | gsub("{{(?<label>\\w+)}}"; $labels[.label] // "");

# One value for each moment; null where Prometheus has none, or no number.
def aligned:
  (.values | map({key: "\(.[0])", value: (.[1] | if test("NaN|Inf") then null else tonumber end)}) | from_entries) as $at
  | [range($from; $to + 1; $step) | $at["\(.)"]];

# A row for each moment.
def data: "$data << EOD", (transpose[] | map(. // "NaN" | tostring) | join(" ")), "EOD";

# Each series on top of those before it; a missing value counts as none.
def stacked: reduce .[] as $values ([]; . + [[.[-1], $values] | [range($values | length) as $i | (.[0][$i] // 0) + (.[1][$i] // 0)]]);

def timeseries($series):
  .fieldConfig.defaults as {$unit, $custom, $thresholds}
  | ($custom.stacking != null) as $is_stacked
  | ($custom.scaleDistribution.type == "log") as $is_log
  | if (if $is_log then ["s"] else ["none", "short", "cps", "bytes", "Bps", "percentunit"] end | index($unit)) then .
    else error("\(.title) has an axis that can't be drawn")
    end
  | [$series[] | select(.values | any(. != null and . != 0))] as $shown
  | ($shown | map(.values) | if $is_stacked then stacked else . end) as $columns
  | ($columns | flatten | map(select(. != null and . > 0))) as $values
  | ($unit | say("unit")),
    (if $is_stacked then "filledcurves y = 0" else "lines linewidth 0.9" end | say("style")),
    (if $is_log then 1 else 0 end | say("is_log")),
    (if .options.legend.placement == "right" then 1 else 0 end | say("has_side_legend")),
    (if $custom.thresholdsStyle then $thresholds.steps[-1].value else -1 end | say("limit")),
    ($values | min // 1 | say("least")),
    ($values | max // 1 | say("most")),
    ($shown | map(.name) | if . == [] then [""] else . end | "array names[\(length)] = [\(map(quoted) | join(", "))]"),
    ($series - $shown | if . == [] then "" elif $shown == [] then "all 0" else "\(length) more: 0" end | say("rest")),
    ($shown | length | say("count")),
    ($columns | data);

# Cumulative buckets, named by their bounds, become what lies between two bounds each; those at the ends without any are
# left out.
def heatmap($series):
  ($series | map({name: (.name | if . == "+Inf" then infinite else tonumber end), values: (.values | map(. // 0))}) | sort_by(.name))
      as $buckets
  | [range($buckets | length) as $i | [$buckets[$i].values, (if $i > 0 then $buckets[$i - 1].values else [] end)]
      | [range(.[0] | length) as $at | [.[0][$at] - (.[1][$at] // 0), 0] | max]] as $counts
  | ([range($counts | length) | select($counts[.] | any(. > 1e-9))] | if . == [] then [0, -1] else . end) as $filled
  | ($counts[$filled[0]:$filled[-1] + 1] | data),
    ($buckets[$filled[0]:$filled[-1] + 1] | map(.name | if . > 1e300 then 0 else . end | tostring) | join(" ") | say("bounds"));

# The last value, as text and in the colour that goes with it.
def stat($series):
  .fieldConfig.defaults as {$unit, $mappings, $thresholds}
  | [$series[0].values[]? | values][-1] as $value
  | ($mappings[0].options["\($value)"] // null) as $mapped
  | ( if $mapped then $mapped.text
      elif $value == null then "no data"
      elif .options.textMode == "name" then $series[0].name
      elif $unit == "s" then "\($value / 6 | round / 10) min"
      else "\($value | round)" end | say("value") ),
    ($mapped.color // [$thresholds.steps[] | select(.value == null or .value <= $value).color][-1] | say("colour"));

. as $answers
| ($dashboard.panels | map(.gridPos | .y + .h) | max | say("lines")),
  ( $dashboard.panels[]
    | .id as $id
    | [$answers[] | select(.panel == $id) | {name: name, values: aligned}] as $series
    | (.type | say("type")), (.title | say("title")),
      (.gridPos | to_entries[] | .key as $key | .value | say("grid_\($key)")),
      ( if .type == "row" then empty
        elif .type == "stat" then stat($series)
        elif .type == "heatmap" then heatmap($series)
        elif .type == "timeseries" then timeseries($series)
        else error("\(.title) is a \(.type), which can't be drawn")
        end ),
      "load 'panel.gp'" )
