# gnuplot -e "data='FILE'; out='FILE.svg'; heading='TEXT'" bars.gp: horizontal bars on a log axis, each with its name and
# value beside it and its spread as a line. plot.jq says what is in the data.

set datafile separator tab
stats data index 0 using 1 name "rows" nooutput
stats data index 0 using 4 name "low" nooutput
stats data index 0 using 5 name "high" nooutput
from = 10 ** floor(log10(low_min) - 0.05)
edge = from * 1.0001 # names stand at the axis; what is on it exactly may be clipped

set terminal svg size 760, 80 + 22 * (rows_max + 2) font "sans-serif,13" background "#ffffff"
set output out
set label heading at screen 0.02, screen 1 offset 0, -1.2 font ",15"
set logscale x
set xrange [from : high_max * 3]
set yrange [rows_max + 0.8 : -0.8]
set lmargin 16
set tmargin 3
set rmargin 3
set border 0
unset key
unset ytics
set format x "%g"
set xtics nomirror scale 0 textcolor rgb "#666666"
set grid xtics linetype 1 linecolor rgb "#e4e4e4"
set style fill solid noborder

value_text(v) = v >= 100 ? sprintf("%.0f", v) : v >= 10 ? sprintf("%.1f", v) : sprintf("%.2f", v)
colour(is_ours) = is_ours > 0 ? 0x1b7f5c : 0xa9b4bf

plot data index 0 using 3:1:(from):3:($1 - 0.36):($1 + 0.36):(colour($6)) with boxxyerror linecolor rgb variable, \
     "" index 0 using 3:1:4:5 with xerrorbars pointtype 0 linewidth 1.2 linecolor rgb "#333333", \
     "" index 0 using 5:1:(value_text($3)) with labels left offset 0.8, 0, \
     "" index 0 using (edge):1:2 with labels right offset -0.8, 0, \
     "" index 1 using (edge):1:2 with labels left font ",13" textcolor rgb "#444444"
