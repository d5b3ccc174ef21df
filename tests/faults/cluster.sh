#!/usr/bin/env bash
# tests/faults/cluster.sh [--long] [--claims N] [--split N] [SCENARIO...]: two and more servers of one cluster over real NATS servers, while
# these and the servers are killed, stopped, cut off, drained and added. Nothing may be lost, doubled or reordered but what
# CLUSTER.md says; all must have met again in time. cluster.py has the scenarios; all that are not long unless some are named.
# --claims: how many codewords are named at two nodes at once (10000); --split: how many rooms are opened at both nodes while these
# are cut off from each other (100).
# BUILD_DIR says which build: build/asan and build/tsan look into the server besides. As root: it makes a network of its own.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${BUILD_DIR:-$root/build/release}
bench=${BENCH_DIR:-$build}/bench/homecall-bench
command -v nats-server >/dev/null || PATH=$PATH:/usr/sbin
ulimit -n "$(ulimit -Hn)"
# shellcheck disable=SC2016 # the inner shell expands it
exec unshare --net --pid --fork --kill-child --mount-proc sh -c 'ip link set lo up && exec python3 -B "$@"' sh \
    "$root/tests/faults/cluster.py" "$build/homecall-signal" "$bench" "$root/tests/tsan.supp" "$@"
