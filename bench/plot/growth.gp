# gnuplot -d style.gp -c growth.gp DATA >FILE.svg: CPU per signal against the number of pairs, of ours and of the
# gathering floor. compare/plot.jq says what is in the data.

data = ARG1
set datafile separator tab
stats data using 1 name "pairs" nooutput
stats data using 2 name "ours" nooutput
stats data using 3 name "floor" nooutput
last_row = pairs_records - 1

set terminal svg size 760, 380 font "sans-serif,13" background "#ffffff"
set label "CPU time of the server per signal as pairs are added, 20,000 signals a second, µs" @heading
set logscale x
set xrange [pairs_min * 0.8 : pairs_max * 3.6]
set yrange [0 : 1.15 * (ours_max > floor_max ? ours_max : floor_max)]
unset key
set xlabel "pairs" textcolor rgb "#666666"
set xtics (50, 500, 2000, 5000, 9000)

plot data using 1:2 with linespoints pointtype 7 pointsize 0.6 linewidth 2.5 linecolor rgb colour_of_ours, \
     "" using 1:3 with linespoints pointtype 7 pointsize 0.6 linewidth 2.5 linecolor rgb colour_of_others, \
     "" using 1:2:(sprintf("ours, %.2f", $2)) every ::last_row with labels left offset 1, 0 textcolor rgb colour_of_ours, \
     "" using 1:3:(sprintf("floor, gathering, %.2f", $3)) every ::last_row with labels left offset 1, 0 textcolor rgb "#6b7680"
