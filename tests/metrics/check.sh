#!/usr/bin/env bash
# Checks the metrics of a server that runs, and what deploy/metrics makes of them: the configuration and the rules of
# Prometheus with promtool, and each expression of the dashboard by a real Prometheus that has asked the server. It is a node of a
# cluster of two, so that the panels of a cluster have numbers, too.
#
#   tests/metrics/check.sh     BUILD_DIR is the build to check, build/release unless set
set -euo pipefail

# shellcheck source=deploy/metrics/with_prometheus.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/metrics/with_prometheus.sh"
tests_dir=$root/tests/metrics
rules=$metrics_dir/rules.yml
dashboards=("$metrics_dir"/grafana/dashboards/*.json)

fail() {
    echo "check.sh: $*" >&2
    exit 1
}

# run WHAT COMMAND...: show its output only if it fails.
run() {
    local what=$1
    shift
    "$@" >"$private/output" 2>&1 || {
        cat "$private/output" >&2
        fail "$what"
    }
    echo "ok: $what"
}

# The names and label values that rules and dashboards use, one selector a line.
list_selectors() {
    { cat "$rules"; jq -r '.. | objects | .expr // .definition // empty' "${dashboards[@]}"; } |
        grep -oE '\b(instance(_thread)?:homecall_signal_[a-z_]+:[a-z0-9_]+|(homecall_signal|process)_[a-z_]+)(\{[^}]*\})?' |
        sort -u
}

selectors_are_known() {
    list_selectors >"$private/selectors"
    [ "$(wc -l <"$private/selectors")" -gt 50 ] || { echo "most selectors were not found"; return 1; }
    awk -f "$tests_dir/selectors.awk" "$private/metrics" "$rules" "$private/selectors"
}

# Each alert is named by a test.
alerts_are_tested() {
    local alert
    sed -n 's/^ *- alert: //p' "$rules" >"$private/names"
    while read -r alert; do
        grep -q "\"$alert\"" "$tests_dir/rules_test.yml" || { echo "no test of $alert"; return 1; }
    done <"$private/names"
}

# Portable, complete, and of a form that does not change by itself: jq prints what is wrong.
dashboards_are_sound() {
    jq -rs '
        def grid: [range(.y; .y + .h) as $y | range(.x; .x + .w) as $x | [$x, $y]];
        .[] | . as $dashboard | [.panels[] | select(.type != "row")] as $panels
        | (if .id != null or (.uid | type) != "string" then "its id must be null and its uid set" else empty end),
          (if [.panels[].id] == [range(1; 1 + (.panels | length))] then empty else "panels are not numbered" end),
          (if ([.panels[].gridPos | grid[]] | length == (unique | length)) then empty else "panels overlap" end),
          (.panels[] | select(.gridPos.x + .gridPos.w > 24) | "\(.title): beyond the grid"),
          ($panels[] | select((.title and .description and .datasource.uid == "${DS_PROMETHEUS}") | not)
              | "panel \(.id) lacks a title, a description or the data source"),
          ($panels[] | select((.fieldConfig.defaults.unit // .options.yAxis.unit) == null) | "\(.title): no unit"),
          ([$dashboard | .. | strings | scan("\\$\\{?[A-Za-z_]+")] | unique
              - [($dashboard.templating.list[].name | "$" + ., "${" + .), "$__rate_interval"]
              | .[] | "unknown variable \(.)")
    ' "${dashboards[@]}" >"$private/faults" || return 1
    cat "$private/faults"
    [ ! -s "$private/faults" ]
}

# ask EXPRESSION LEGEND: does Prometheus have numbers for it by now, with the labels that the legend shows?
ask() {
    curl -s "$prometheus_url/api/v1/query" --data-urlencode "query=$1" >"$private/answer"
    jq -e --arg legend "$2" '
        [$legend | scan("{{(\\w+)}}")[]] as $labels
        | .status == "success" and (.data.result | length > 0 and all(.metric as $m | $labels | all(in($m))))
    ' "$private/answer" >/dev/null
}

show_answer() {
    cat "$private/answer"
    return 1
}

# Numbers come with the second scrape, and records with the evaluation after that.
expressions_have_numbers() {
    local expression legend deadline=$((SECONDS + 30))
    jq -r '.panels[].targets[]? | [.expr, .legendFormat] | @tsv' "${dashboards[@]}" >"$private/expressions"
    sed -n 's/^ *- record: //p' "$rules" >>"$private/expressions"
    while IFS=$'\t' read -r expression legend; do
        expression=${expression//\$__rate_interval/5s}
        expression=${expression//\$instance/$watched_name}
        until ask "$expression" "$legend"; do
            if ((SECONDS >= deadline)); then
                echo "$expression"
                show_answer
                return 1
            fi
            sleep 0.2
        done
    done <"$private/expressions"
}

no_alert_fires() {
    curl -sf "$prometheus_url/api/v1/alerts" >"$private/answer"
    jq -e '[.data.alerts[] | select(.state == "firing")] == []' "$private/answer" || show_answer
}

no_rule_fails() {
    curl -sf "$prometheus_url/api/v1/rules" >"$private/answer"
    jq -e '[.data.groups[].rules[] | select(.health != "ok")] == []' "$private/answer" || show_answer
}

# Two series, one upon the other: the areas are as high as the sums. The heights of the first two moments are told by that
# of the third. What is white is the frame.
a_panel_shows_its_values() {
    local name
    cat >"$private/small.json" <<'END'
{"panels": [{"id": 1, "type": "timeseries", "title": "Areas", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 9},
 "fieldConfig": {"defaults": {"unit": "short", "custom": {"stacking": {}}}}, "options": {"legend": {}}}]}
END
    cat >"$private/small" <<'END'
{"panel": 1, "legend": "the {{name}}", "metric": {"name": "o'ne_"}, "values": [[10, "1"], [12, "2"], [14, "3"]]}
{"panel": 1, "legend": "the {{name}}", "metric": {"name": "two"}, "values": [[10, "4"], [12, "3"], [14, "1"]]}
{"panel": 1, "legend": "the {{name}}", "metric": {"name": "none"}, "values": [[10, "0"], [12, "0"], [14, "NaN"]]}
END
    draw_dashboard "$private/small.json" "$private/small" 10 14 >"$private/small.svg" || return
    awk -F "points = '" '/<polygon/ && !/255, 255, 255/ {
        split($2, at, /[ ,]/)
        printf "%.2f %.2f\n", (at[8] - at[2]) / (at[8] - at[6]), (at[8] - at[4]) / (at[8] - at[6])
    }' "$private/small.svg" | tee "$private/heights"
    [ "$(cat "$private/heights")" = "$(printf '1.25 1.25\n0.33 0.67')" ] || return
    for name in "the o'ne_" "the two" "1 more: 0"; do
        grep -q ">$name<" "$private/small.svg" || { echo "no $name in the legend"; return 1; }
    done
}

the_dashboard_can_be_drawn() {
    local now title
    now=$(date +%s)
    ask_prometheus "${dashboards[0]}" $((now - 20)) "$now" >"$private/answers" &&
        draw_dashboard "${dashboards[0]}" "$private/answers" $((now - 20)) "$now" >"$private/drawn.svg" || return
    while read -r title; do
        grep -q ">$title<" "$private/drawn.svg" || { echo "there is no $title"; return 1; }
    done < <(jq -r '.panels[].title' "${dashboards[0]}")
}

# linked ADMIN_PORT: does this node have a link to the other one?
linked() {
    curl -sf "http://127.0.0.1:$1/metrics" | grep -x 'homecall_signal_cluster_links{state="up"} 1' >/dev/null
}

# Two nodes of a cluster, of which one is watched.
start_cluster() {
    local engine_port other_admin_port _
    local -a common
    engine_port=$(free_port)
    nats-server -a 127.0.0.1 -p "$engine_port" >"$private/engine.log" 2>&1 &
    server_pids+=("$!")
    echo "a secret of more than thirty-two bytes" >"$private/secret"
    common=(WORKERS=2 CLUSTER_URL="nats://127.0.0.1:$engine_port" CLUSTER_SECRET_FILE="$private/secret")
    other_admin_port=$(free_port)
    start_server LOG_LEVEL=warn ADMIN_PORT="$other_admin_port" CLUSTER_NODE=other "${common[@]}"
    other_port=$port
    start_watched_server CLUSTER_NODE=watched "${common[@]}"
    for _ in $(seq 200); do
        if linked "$admin_port" && linked "$other_admin_port"; then
            return 0
        fi
        sleep 0.1
    done
    fail "the two nodes do not find each other"
}

start_cluster
start_prometheus
for node_port in "$port" "$other_port"; do
    "$build/bench/homecall-bench" call --pairs 5 --warmup 0 --seconds 1 --quiet "ws://127.0.0.1:$node_port/signal"
done
curl -sf "http://127.0.0.1:$admin_port/metrics" >"$private/metrics"

run "the metrics please promtool" promtool check metrics <"$private/metrics"
run "the configuration is valid" promtool check config "$metrics_dir/prometheus.yml"
run "the rules fire when they should" promtool test rules "$tests_dir/rules_test.yml"
run "every alert has a test" alerts_are_tested
run "rules and dashboards name what there is" selectors_are_known
run "the dashboards are sound" dashboards_are_sound
run "Prometheus has numbers for every panel and record" expressions_have_numbers
run "a panel shows its values" a_panel_shows_its_values
run "the dashboard can be drawn" the_dashboard_can_be_drawn
run "no rule fails" no_rule_fails
run "no alert fires" no_alert_fires
