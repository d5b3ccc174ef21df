#!/usr/bin/env bash
# Checks the metrics of a server that runs, and what deploy/metrics makes of them: the configuration and the rules of
# Prometheus with promtool, and each expression of the dashboard by a real Prometheus that has asked the server.
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

start_watched_server WORKERS=2
start_prometheus
"$build/bench/homecall-bench" call --pairs 5 --warmup 0 --seconds 1 --quiet "ws://127.0.0.1:$port/signal"
curl -sf "http://127.0.0.1:$admin_port/metrics" >"$private/metrics"

run "the metrics please promtool" promtool check metrics <"$private/metrics"
run "the configuration is valid" promtool check config "$metrics_dir/prometheus.yml"
run "the rules fire when they should" promtool test rules "$tests_dir/rules_test.yml"
run "every alert has a test" alerts_are_tested
run "rules and dashboards name what there is" selectors_are_known
run "the dashboards are sound" dashboards_are_sound
run "Prometheus has numbers for every panel and record" expressions_have_numbers
run "no rule fails" no_rule_fails
run "no alert fires" no_alert_fires
