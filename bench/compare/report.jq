# From what summary.jq made to the tables of RESULTS.md. $table tells which: bars, peers, behind, figures or failures.
# $servers are the columns, $asked the letters of the bars.

def fixed($digits):
  pow(10; $digits) as $scale
  | (. * $scale | round | tostring) as $text
  | if $digits == 0 then $text
    else ($text | ltrimstr("-") | until(length > $digits; "0" + .)) as $padded
      | (if . < 0 then "−" else "" end) + $padded[:-$digits] + "." + $padded[-$digits:]
    end;
# Three significant digits, and never less than all whole ones.
def number:
  if . == null then "–"
  else (fabs) as $size
    | if $size >= 100 then fixed(0) elif $size >= 10 then fixed(1) else fixed(2) end
  end;

def percent: (if . < 0 then "−" else "+" end) + (fabs * 100 | fixed(0)) + " %";

def cell:
  if . == null then "–"
  elif .count == 0 then "failed"
  else "\(.median | number) (\(.min | number)–\(.max | number))" + (if .failed > 0 then ", \(.failed) failed" else "" end)
  end;

def row: "| " + join(" | ") + " |";
def verdict: if . == null then "–" elif . then "yes" else "**no**" end;

def bars_table:
  (["", "figure", "bar", "ours", "compared with", "ratio", "met"] | row),
  (["---", "---", "---", "---:", "---:", "---:", "---"] | row),
  ( .bars[]
    | select(.figure as $letter | $asked | contains($letter))
    | [ .figure, (.title + (if .unit then ", " + .unit else "" end)), .bar ]
      + ( if has("deviations") then [(.deviations // [] | map(percent) | join(", ")), "the first", ""]
          else [(.ours | number), (if .other then "\(.other | number) (\(.against))" else "–" end), (.ratio | number)]
          end )
      + [.is_met | verdict]
    | row );

def behind:
  if .is_behind | not then "–"
  else "**by \(.ratio - 1 | fabs * 100 | fixed(0)) %**" + (if .is_near then ", the spreads overlap" else "" end)
  end;

# Columns of their own for the peers on uWebSockets.
def peers_table:
  select(.peers != [])
  | [$servers / " " | .[] | select(startswith("uws"))] as $columns
  | (["", "figure", "ours", "the best peer", "ours / best"] + [$columns[] | "ours / \(.)"] + ["behind"] | row),
    (["---", "---", "---:", "---:", "---:"] + [$columns[] | "---:"] + ["---"] | row),
    ( .peers[]
      | [.figure, "\(.title), \(.unit)", (.ours | number), "\(.best | number) (\(.name))", (.ratio | number)]
        + [.ratios[$columns[]] | number] + [behind]
      | row );

def behind_list:
  (.peers | length) as $count
  | [.peers[] | select(.is_behind)]
  | if $count == 0 then "No peer was measured."
    elif . == [] then "In none of the \($count) figures is a peer better than we are."
    else "In \(length) of the \($count) figures we are behind the best peer: \(map("\(.title) (\(.figure))") | join("; "))."
    end;

def figures_table($metrics):
  .cells as $cells
  | ($servers / " ") as $columns
  | (["", "figure", "unit"] + $columns | row),
    (["---", "---", "---"] + [$columns[] | "---:"] | row),
    ( $metrics[]
      | $cells[.name] as $cells
      | select([$cells[$columns[]]] | any)
      | [.figure, .title, .unit] + [$columns[] as $server | $cells[$server] | cell]
      | row );

def failures_list:
  if .failures == [] then "None."
  else .failures[] | "- round \(.round), \(.server), \(.case): \(.error)"
  end;

if $table == "bars" then bars_table
elif $table == "peers" then peers_table
elif $table == "behind" then behind_list
elif $table == "figures" then figures_table($figures.metrics)
else failures_list
end
