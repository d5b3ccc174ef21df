# One panel of a Grafana dashboard as part of a page: for deploy/metrics/draw.sh. deploy/metrics/dashboard.jq says before each
# what is in it: `type`, `title`, its place in the grid (grid_x, _y, _w, _h), and by its type
#   stat        `value` and its `colour`
#   heatmap     $data with a row for each moment and a column for each bucket; `bounds` are their upper bounds
#   timeseries  $data likewise with `count` series, their `names`, and what the legend says of the `rest`; `unit`, `is_log`,
#               plot `style`, `has_side_legend`, `limit` (or -1), and the `least` and the `most` of the values
# Before the first one `lines` tells how high the grid is, `seconds` how long the time axis, and `interval` how far apart its
# moments are.

if (!exists("page_height")) {
    page_width = 24 * 42 + 10
    page_height = lines * 26 + 10
    set terminal svg size page_width, page_height font "sans-serif,9" noenhanced background "#f4f5f7"
    set multiplot
    set key Left reverse samplen 0.2 width -1 textcolor rgb "#24292f"
    set palette defined (0 "#ffffff", 0.02 "#dbe9f6", 0.5 "#539ecd", 1 "#08306b")
    unset colorbox
    set tmargin 3
    set lmargin 9
    set xrange [0:seconds]
    set xtics ("0:00" 0) offset 0, 0.3
    do for [i = 1:4] { set xtics add (sprintf("%d:%02d", seconds * i / 240, seconds * i / 4 % 60) seconds * i / 4.) }
    steps = 3
    if (!exists("style")) { style = 'lines' } # a macro is looked up even where its part is not run
}

left = (8 + 42. * grid_x) / page_width
top = 1 - (8 + 26. * grid_y) / page_height
width = (42. * grid_w - 6) / page_width
height = (26. * grid_h - 6) / page_height
set label title at screen left, screen top offset 1.2, -1.3 font (type eq "row" ? ",13" : ",11") textcolor rgb "#24292f"
if (type ne "row") {
    set object rectangle from screen left, screen top - height to screen left + width, screen top behind \
        fillcolor rgb "#ffffff" fillstyle solid border linecolor rgb "#dfe2e6"
}
if (type eq "stat") {
    set label value at screen left + width / 2, screen top - height * 0.65 center font ",22" textcolor rgb \
        (colour eq "green" ? 0x2e8b57 : colour eq "orange" ? 0xd9822b : 0xc4383a)
}

# Rows, single values and empty heat maps have no axes: the next panel that has draws their labels too.
set origin left, top - height
set size width, height
if (type eq "timeseries") {
    factor = 1
    if (is_log) {
        @time_axis
    } else {
        unset logscale y
        @linear_axis
    }
    set rmargin has_side_legend ? 36 : 2
    if (has_side_legend) {
        set key rmargin vertical top
    } else {
        set key bmargin horizontal left
    }
    plot for [i = count:1:-1] $data using ($0 * interval):(column(i) / factor) with @style linetype i notitle, \
         (limit / factor) with lines linecolor rgb "#c4383a" dashtype 2 notitle, \
         for [i = 1:count] keyentry with points pointtype 5 pointsize 0.8 linetype i title names[i], \
         keyentry with lines linecolor rgb "#ff000000" title rest
    unset label
    unset object
}
if (type eq "heatmap" && words(bounds) > 0) {
    unset logscale y
    set yrange [-0.5:words(bounds) - 0.5]
    set format y
    set ytics ("" 0)
    do for [i = words(bounds):1:-4] { set ytics add (gprintf(log_format, real(word(bounds, i))) i - 0.5) }
    unset key
    plot $data matrix using ($2 * interval):1:($3 > 0 ? sqrt($3) : NaN) with image pixels
    set key
    set ytics ()
    unset label
    unset object
}
