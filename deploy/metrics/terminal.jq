# The screen of a terminal as SVG: jq -R -s -r --arg title TEXT --argjson columns N --argjson rows N. The input is what
# `tmux capture-pane -e -p` writes. Known are bold, reversed and coloured text (ECMA-48, SGR), which is what our screen has;
# anything else is an error.

def cell: {width: 8, height: 17};
def colours: ["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"];

# What one code makes of how text looks.
def look($code):
  if $code == 0 then {}
  elif $code == 1 then .weight = "bold"
  elif $code == 7 then .is_reversed = true
  elif 30 <= $code and $code <= 37 then .ink = colours[$code - 30]
  elif $code == 39 then del(.ink)
  elif $code == 49 then .
  else error("SGR \($code) is not known")
  end;

# A piece of text has its place and its length, so that it keeps its columns whatever the font.
def piece($at; $text):
  ($text | length * cell.width) as $width
  | (12 + $at.column * cell.width) as $x
  | (12 + $at.row * cell.height) as $y
  | (if $at.look.is_reversed then "<rect x=\"\($x)\" y=\"\($y)\" width=\"\($width)\" height=\"\(cell.height)\"/>" else "" end)
    + "<text x=\"\($x)\" y=\"\($y + 13)\" textLength=\"\($width)\" fill=\"\(
        if $at.look.is_reversed then "#161b22" else $at.look.ink // "#d0d7de" end)\" font-weight=\"\($at.look.weight // "normal")\">"
    + ($text | @html | gsub(" "; "\u00a0")) + "</text>";

def pieces:
  foreach (scan("\u001b\\[[0-9;]*m|\n|[^\u001b\n]+")) as $token ({row: 0, column: 0, look: {}};
    .shown = null
    | if $token == "\n" then .row += 1 | .column = 0
      elif $token[:1] == "\u001b" then reduce ($token[2:-1] / ";" | .[] | if . == "" then 0 else tonumber end) as $code (.; .look |= look($code))
      else .shown = piece(.; $token) | .column += ($token | length)
      end;
    .shown // empty);

($columns * cell.width + 24) as $width
| ($rows * cell.height + 24) as $height
| "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\($width)\" height=\"\($height)\" viewBox=\"0 0 \($width) \($height)\" role=\"img\"",
  "  font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"13\" fill=\"#d0d7de\">",
  "<title>\($title | @html)</title><rect width=\"\($width)\" height=\"\($height)\" fill=\"#161b22\" rx=\"6\"/>",
  pieces,
  "</svg>"
