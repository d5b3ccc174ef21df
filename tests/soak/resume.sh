#!/usr/bin/env bash
# tests/soak/resume.sh [SECONDS]: 500 clients in 250 rooms send numbered signals while their connections are killed at random.
# Nothing may be lost, doubled or reordered that the server has not told by "resumed": false. Half of the time (30 s in all
# unless set) all clients speak version 2, half of it versions 1 and 2 in each room; there, version 1 loses with its
# connection what its rules say. BUILD_DIR says which build: build/asan and build/tsan look into the server besides.
#
# Sessions are kept for a second only, so that some come back too late, and the outbox of one is small enough to overflow.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=bench/with_server.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../bench/with_server.sh"
seconds=${1:-30}

# Sanitizers write where nobody would look, if not told otherwise.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:log_path='$private/asan'"
export TSAN_OPTIONS="${TSAN_OPTIONS:-}:log_path='$private/tsan':suppressions='$root/tests/tsan.supp'"

# fail TEXT
fail() {
    echo "resume: $*" >&2
    cat "$private"/asan.* "$private"/tsan.* 2>/dev/null >&2 || true
    exit 1
}

# churn NAME LEAST_RESUMED [OPTION...]: a server of its own, killed connections, and what came of it.
churn() {
    local name=$1 least=$2 status=0 resumed
    shift 2
    start_server LOG_LEVEL=warn WORKERS=4 RESUME_FOR=1s OUTBOX_MAX_MESSAGES=24
    "$build/bench/homecall-bench" churn --pairs 250 --rate 4000 --life 0.5 --warmup 0 --seconds "$((seconds / 2))" "$@" \
        --quiet --json "$private/json" "ws://127.0.0.1:$port/signal" || fail "$name: what came was not what was sent"
    kill -TERM "$server_pid"
    wait "$server_pid" || status=$?
    server_pid=
    [ "$status" -eq 0 ] || fail "$name: the server ended with $status"
    if compgen -G "$private/*san.*" >/dev/null; then
        fail "$name: the sanitizer has found something"
    fi
    jq -r --arg name "$name" '.totals | "\($name): \(.signals) signals arrived, \(.losses) connections were killed, " +
        "\(.resumed) sessions resumed, \(.resumes_refused) not; \(.sent_again) signals were sent again, " +
        "\(.lost) were told as lost, \(.doubled) came twice"' "$private/json"
    resumed=$(jq .totals.resumed "$private/json")
    [ "$resumed" -ge "$((least * seconds))" ] || fail "$name: only $resumed sessions resumed, so this has tested little"
}

churn "version 2" 20 --dialect 2
churn "versions 1 and 2" 10 --dialect 2 --second-dialect homecall
