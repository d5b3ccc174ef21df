#!/usr/bin/env bash
# bench/hot_path.sh [--update]: instructions of a worker for each signal and each call, from frame to frame, counted by
# callgrind: the same on a busy machine and on an idle one. Exits with 1 when a count is more than 3 % off the one in
# bench/hot_path.expected, also when it is less: then the next change could make it slower unseen. --update writes down
# what was counted.
#
# What net_loop_turn() does is counted, with libevent and the C library in it, but not the kernel. (The star stands for what the
# compiler has put behind its name.) A run of few and a run of many are subtracted, so that setting up does not count.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${BUILD_DIR:-$root/build/release}
expected=${HOT_PATH_EXPECTED:-$root/bench/hot_path.expected}
tolerance=0.03

# The C library chooses its string functions by processor; these are on every one.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM

# collect WORKLOAD COUNT: instructions in all.
collect() {
    valgrind --tool=callgrind --toggle-collect="net_loop_turn*" --callgrind-out-file=/dev/null \
        "$build/bench/hot_path" "$1" "$2" 2>&1 | awk '/Collected/ { print $NF }'
}

# count WORKLOAD FEW MANY: instructions for each.
count() {
    local few many
    few=$(collect "$1" "$2")
    many=$(collect "$1" "$3")
    echo "$(((many - few) / ($3 - $2)))"
}

failed=0
counted=$(
    echo "relay $(count relay 2000 6000)"
    echo "call $(count call 100 300)"
)
if [ "${1:-}" = --update ]; then
    echo "$counted" >"$expected"
fi
while read -r workload instructions; do
    was=$(awk -v workload="$workload" '$1 == workload { print $2 }' "$expected")
    awk -v workload="$workload" -v now="$instructions" -v was="$was" -v tolerance="$tolerance" 'BEGIN {
        change = now / was - 1
        is_off = change > tolerance || change < -tolerance
        printf "%-5s  %6d instructions each, expected %6d: %+.1f %% (at most %.0f %% off)%s\n", workload, now, was,
            100 * change, 100 * tolerance, is_off ? ": TOO MUCH" : ""
        if (change < -tolerance)
            print "       it became faster: write that down with bench/hot_path.sh --update"
        exit is_off
    }' || failed=1
done <<<"$counted"
exit "$failed"
