# The plots of homecall-bench --report, one SVG after the other. report_plots.c puts before this:
#   latencies     the names of what was timed, such as "operation signal"
#   $percentiles  for each of them a block of: nines of a percentile (2 for 99 %), seconds
#   sampled       which of them the samples tell
#   $samples      seconds since the measuring began; then operations and signals a second, the server's share of a core and
#                 its bytes, open connections, and the median and the 99th percentile of the latency in seconds
# What was not measured is 0, or NaN for a latency. A plot without a value over 0 is left out.

size = 'size 480, 270 font "sans-serif,13" noenhanced'
set key at screen 0.97, screen 1 right top horizontal Left reverse samplen 1
set lmargin 9
set xlabel offset 0, 0.4 textcolor rgb "#666666"

if (words(latencies) > 0) {
    set terminal svg @size name "percentiles"
    set label 1 "Latency by percentile" @heading
    set xlabel "percentile"
    set xtics ("0" 0, "50" log10(2), "90" 1, "99" 2, "99.9" 3, "99.99" 4, "99.999" 5, "99.9999" 6)
    stats $percentiles using 2 nooutput
    least = STATS_min
    most = STATS_max
    @time_axis
    plot for [i = 1:words(latencies)] $percentiles index i - 1 using 1:2 with lines title word(latencies, i)
}

unset logscale y
set yrange [*:*] # or stats sees what lies in it alone
stats $samples using 1 name "clock" nooutput
stats $samples using 7 name "fast" nooutput
stats $samples using 8 name "slow" nooutput
if (!exists("clock_max")) exit
seconds = clock_max >= 7200 ? 3600 : clock_max >= 120 ? 60 : 1
set xlabel "since the measuring began"
set xrange [0:clock_max / seconds]
set xtics autofreq
set format x "%g " . (seconds == 3600 ? "h" : seconds == 60 ? "min" : "s")

if (exists("slow_max")) {
    set terminal svg @size name "latency"
    set label 1 "Latency over time, " . sampled @heading
    least = fast_min
    most = slow_max
    @time_axis
    plot $samples using ($1 / seconds):7 with linespoints title "p50", "" using ($1 / seconds):8 with linespoints title "p99"
}

unset logscale y
unset key
array names = ["operations", "signals", "cpu", "memory", "connections"]
array units = ["short", "short", "percentunit", "bytes", "short"]
array headings = ["Operations per second", "Signals per second", "CPU of the server, of one core", "Memory of the server", \
                  "Open connections of homecall-bench"]
do for [i = 1:|names|] {
    set yrange [*:*]
    stats $samples using i + 1 nooutput
    if (STATS_max > 0) {
        set terminal svg @size name names[i]
        set label 1 headings[i] @heading
        unit = units[i]
        most = STATS_max
        @linear_axis
        plot $samples using ($1 / seconds):(column(i + 1) / factor) with filledcurves y = 0 fillstyle transparent solid 0.12, \
             "" using ($1 / seconds):(column(i + 1) / factor) with linespoints linetype 1
    }
}
