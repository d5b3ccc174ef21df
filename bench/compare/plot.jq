# From what summary.jq made to the data of one plot, separated by tabs. Plots by bars ($plot is a name of
# figures.json): bars (row, name, median, min, max, is ours), and behind two empty lines the headings (row, text).
# The plot "growth": pairs, ours, floor.

def growth($cells):
  50, 500, 2000, 5000, 9000
  | . as $pairs
  | $cells["steady-\($pairs)"] // {}
  | [$pairs, .ours.median, .["floor-gather"].median]
  | select(all(. != null));

# A heading, then a row for each server, then an empty one.
def rows($metrics):
  .cells as $cells
  | [ $metrics[] as $name
      | ($figures.metrics[] | select(.name == $name)) as $metric
      | [$servers / " " | .[] | select($cells[$name][.].median > 0)]
      | select(length > 0)
      | {heading: $metric.title}, (.[] | {server: ., cell: $cells[$name][.]}), {} ]
  | to_entries;

def bars($metrics):
  rows($metrics)
  | ( .[] | select(.value.server)
      | [.key, .value.server, .value.cell.median, .value.cell.min, .value.cell.max, (if .value.server == "ours" then 1 else 0 end)] ),
    [], [],
    (.[] | select(.value.heading) | [.key, .value.heading]);

if $plot == "growth" then growth(.cells)
else ($figures.plots[] | select(.file == $plot)) as $chosen | bars($chosen.metrics)
end
| @tsv
