# gnuplot -e "data='FILE'; out='FILE.svg'" growth.gp: CPU per signal against the number of pairs, of ours and of the
# gathering floor. plot.jq says what is in the data.

set datafile separator tab
stats data using 1 name "pairs" nooutput
stats data using 2 name "ours" nooutput
stats data using 3 name "floor" nooutput
last_row = pairs_records - 1

set terminal svg size 760, 380 font "sans-serif,13" background "#ffffff"
set output out
set label "CPU time of the server per signal as pairs are added, 20,000 signals a second, µs" at screen 0.02, screen 1 offset 0, -1.2 font ",15"
set tmargin 3
set logscale x
set xrange [pairs_min * 0.8 : pairs_max * 3.6]
set yrange [0 : 1.15 * (ours_max > floor_max ? ours_max : floor_max)]
set border 0
unset key
set xlabel "pairs" textcolor rgb "#666666"
set xtics nomirror scale 0 textcolor rgb "#666666" (50, 500, 2000, 5000, 9000)
set ytics nomirror scale 0 textcolor rgb "#666666"
set grid ytics linetype 1 linecolor rgb "#e4e4e4"

plot data using 1:2 with linespoints pointtype 7 pointsize 0.6 linewidth 2.5 linecolor rgb "#1b7f5c", \
     "" using 1:3 with linespoints pointtype 7 pointsize 0.6 linewidth 2.5 linecolor rgb "#a9b4bf", \
     "" using 1:2:(sprintf("ours, %.2f", $2)) every ::last_row with labels left offset 1, 0 textcolor rgb "#1b7f5c", \
     "" using 1:3:(sprintf("floor, gathering, %.2f", $3)) every ::last_row with labels left offset 1, 0 textcolor rgb "#6b7680"
