# gnuplot -d style.gp -c bars.gp DATA HEADING >FILE.svg: horizontal bars on a log axis, each with its name and value beside it
# and its spread as a line. compare/plot.jq says what is in the data.

data = ARG1
set datafile separator tab
stats data index 0 using 1 name "rows" nooutput
stats data index 0 using 4 name "low" nooutput
stats data index 0 using 5 name "high" nooutput
from = 10 ** floor(log10(low_min) - 0.05)
edge = from * 1.0001 # names stand at the axis; what is on it exactly may be clipped

set terminal svg size 760, 80 + 22 * (rows_max + 2) font "sans-serif,13" background "#ffffff"
set label ARG2 @heading
set logscale x
set xrange [from : high_max * 3]
set yrange [rows_max + 0.8 : -0.8]
set lmargin 16
unset key
unset ytics
set format x "%g"
set grid xtics

value_text(v) = v >= 100 ? sprintf("%.0f", v) : v >= 10 ? sprintf("%.1f", v) : sprintf("%.2f", v)
colour(is_ours) = is_ours > 0 ? colour_of_ours : colour_of_others

plot data index 0 using 3:1:(from):3:($1 - 0.36):($1 + 0.36):(colour($6)) with boxxyerror linecolor rgb variable, \
     "" index 0 using 3:1:4:5 with xerrorbars pointtype 0 linewidth 1.2 linecolor rgb "#333333", \
     "" index 0 using 5:1:(value_text($3)) with labels left offset 0.8, 0, \
     "" index 0 using (edge):1:2 with labels right offset -0.8, 0, \
     "" index 1 using (edge):1:2 with labels left font ",13" textcolor rgb "#444444"
