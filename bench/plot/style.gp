# How every plot of this project looks, and how its axes tell numbers. gnuplot is given this file before the script that
# draws: gnuplot -d style.gp bars.gp.

set encoding utf8
set micro # µs, not us
set border 0
set xtics nomirror scale 0 textcolor rgb "#666666"
set ytics nomirror scale 0 textcolor rgb "#666666"
set grid ytics linetype 1 linecolor rgb "#e4e4e4"
set style fill solid noborder
set tmargin 3
set rmargin 3
heading = 'at screen 0.02, screen 1 offset 0, -1.2 font ",15"' # of a label

# Neighbours differ in brightness too, for people who see red and green alike.
colours = "#2a78d6 #eb6834 #1baf7a #c4383a #8a67b5 #2ba3ad #b8952b #d264a0 #7a8b99 #6b8e23 #a0522d #5c6bc0 #9e9d24 #455a64"
do for [i = 1:words(colours)] { set linetype i linecolor rgb word(colours, i) linewidth 1.5 pointtype 7 pointsize 0.3 }
set linetype cycle words(colours)
colour_of_ours = 0x1b7f5c # beside others
colour_of_others = 0xa9b4bf

# @linear_axis lets the y axis go from 0 to `most` at least, in a `unit` that is named as Grafana does: none, short (a
# count), cps (a rate), bytes, Bps, percentunit (a share). All numbers have the prefix of the largest, so they are to be
# divided by `factor`.
unit_base(unit) = unit eq "bytes" ? 1024. : 1000.
unit_rank(unit, v) = v < unit_base(unit) ? 0 : floor(log(v) / log(unit_base(unit)) + 1e-9)
unit_prefix(unit, v) = word(unit eq "bytes" ? "Ki Mi Gi Ti" : "k M G T", unit_rank(unit, v))
unit_factor(unit, v) = unit eq "percentunit" ? 0.01 : unit_base(unit) ** unit_rank(unit, v)
unit_format(unit, v) = "%g" . \
    (unit eq "percentunit" ? " %%" : \
     unit eq "bytes" ? " " . unit_prefix(unit, v) . "B" : \
     unit eq "Bps" ? " " . unit_prefix(unit, v) . "B/s" : \
     unit eq "cps" ? unit_prefix(unit, v) . "/s" : unit_prefix(unit, v))
steps = 6 # of an axis at most, about
decade(v) = 10. ** floor(log10(v) + 1e-9)
round_above(v) = decade(v) * (v > 5 * decade(v) ? 10 : v > 2 * decade(v) ? 5 : v > decade(v) ? 2 : 1)
linear_axis = 'factor = unit_factor(unit, most); set format y unit_format(unit, most); ' . \
    'step = round_above((most > 0 ? most : 1) / factor / steps); set ytics step; ' . \
    'set yrange [0:step * ceil((most > 0 ? most : 1) / factor / step - 1e-9)]'

# @time_axis makes the y axis one of seconds from `least` to `most` at least, in decades; where these are few, their parts
# are told as well.
log_format = "%.0s %cs"
time_axis = 'set logscale y; set format y log_format; set yrange [decade(least):10 * decade(most)]; set ytics 10; ' . \
    'if (steps > 3 && most < 100 * decade(least)) { ' . \
    'do for [n = -9:3] { set ytics add (2 * 10. ** n, 5 * 10. ** n) } }'
