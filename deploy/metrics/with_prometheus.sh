# Sourced by draw.sh and tests/metrics/check.sh: a server of our own, and a Prometheus of our own that asks it each
# second, by the configuration beside this file. Both listen on free ports of 127.0.0.1 and end with the script.
# shellcheck shell=bash

metrics_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=bench/with_server.sh
. "$metrics_dir/../../bench/with_server.sh"
watched_name=signal # the label `instance` of the server
prometheus_pid=

end_prometheus() {
    if [ -n "$prometheus_pid" ]; then
        kill "$prometheus_pid" 2>/dev/null || true
        wait "$prometheus_pid" 2>/dev/null || true
    fi
    prometheus_pid=
}
trap 'end_prometheus; end_server; rm -rf "$private"' EXIT

# start_watched_server [NAME=VALUE ...]: as start_server does, with an admin port; sets admin_port.
start_watched_server() {
    admin_port=$(free_port)
    start_server LOG_LEVEL=warn ADMIN_PORT="$admin_port" "$@"
}

# The configuration as it is, but for where the server is and how often it is asked.
write_prometheus_configuration() {
    mkdir -p "$private/prometheus/targets"
    sed 's/^\( *[a-z]*_interval:\) 15s/\1 1s/' "$metrics_dir/prometheus.yml" >"$private/prometheus/prometheus.yml"
    cp "$metrics_dir/rules.yml" "$private/prometheus"
    cp "$metrics_dir/targets/alertmanager.yml" "$private/prometheus/targets"
    printf -- '- targets: ["127.0.0.1:%d"]\n  labels: {instance: %s}\n' "$admin_port" "$watched_name" \
        >"$private/prometheus/targets/signal.yml"
}

# Start it, wait until it answers, set prometheus_url.
start_prometheus() {
    local prometheus_port
    prometheus_port=$(free_port)
    prometheus_url=http://127.0.0.1:$prometheus_port
    write_prometheus_configuration
    prometheus --config.file="$private/prometheus/prometheus.yml" --storage.tsdb.path="$private/tsdb" \
        --web.listen-address="127.0.0.1:$prometheus_port" --log.level=warn >"$private/prometheus.log" 2>&1 &
    prometheus_pid=$!
    for _ in $(seq 200); do
        if curl -sf -o /dev/null "$prometheus_url/-/ready"; then
            return 0
        fi
        kill -0 "$prometheus_pid" 2>/dev/null || break
        sleep 0.05
    done
    cat "$private/prometheus.log" >&2
    echo "Prometheus did not start" >&2
    return 1
}

# ---- A dashboard's picture ----

step_seconds=2

# ask_prometheus DASHBOARD FROM TO: what it has for each expression of the dashboard, one series a line.
ask_prometheus() {
    local panel expression legend
    while IFS=$'\t' read -r panel expression legend; do
        expression=${expression//\$__rate_interval/5s} # four scrapes and one more
        expression=${expression//\$instance/$watched_name}
        curl -sSf "$prometheus_url/api/v1/query_range" --data-urlencode "query=$expression" \
            -d "start=$2&end=$3&step=$step_seconds" |
            jq -c --argjson panel "$panel" --arg legend "$legend" '.data.result[] | {$panel, $legend, metric, values}' || return
    done < <(jq -r '.panels[] | .id as $id | .targets[]? | [$id, .expr, .legendFormat] | @tsv' "$1")
}

# draw_dashboard DASHBOARD ANSWERS FROM TO: the panels with these answers, as SVG. gnuplot warns of each empty panel, and the
# sed leaves out what says nothing.
draw_dashboard() {
    {
        echo "seconds = $(($4 - $3)); interval = $step_seconds"
        jq -s -r --argjson dashboard "$(cat "$1")" --argjson from "$3" --argjson to "$4" --argjson step "$step_seconds" \
            -f "$metrics_dir/dashboard.jq" "$2"
    } >"$private/script" || return
    (cd "$metrics_dir/../../bench/plot" && gnuplot -d style.gp "$private/script") >"$private/drawn" 2>"$private/complaints" || {
        cat "$private/complaints" >&2
        return 1
    }
    sed -z 's/ stroke-linecap="butt" stroke-linejoin="miter"//g; s/<g [^>]*>\n<\/g>\n//g' "$private/drawn"
}
