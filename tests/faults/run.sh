#!/usr/bin/env bash
# tests/faults/run.sh [--all] [--seed N] [BINARY]: starts the server again and again, and each time another one of its allocations
# fails. It fails if one run crashes, hangs, or goes on and serves nobody.
#
#   --all      every allocation, which takes hours; else as many as FAULT_SECONDS (40) allow, in an order that the seed makes
#   --seed N   that of an earlier run, to repeat it; else a new one, which is printed
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=${FAULT_SECONDS:-40}
seed=$((RANDOM * 32768 + RANDOM))
binary=$root/build/release/homecall-signal
while [ $# -gt 0 ]; do
    case $1 in
    --all) seconds=0 ;;
    --seed)
        seed=$2
        shift
        ;;
    *) binary=$1 ;;
    esac
    shift
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cc -shared -fPIC -O2 -Wall -Wextra -Werror -o "$folder/fail_nth.so" "$root/tests/faults/fail_nth.c"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null
echo "seed $seed"
python3 "$root/tests/faults/sample.py" "$binary" "$folder/fail_nth.so" "$folder" "$seconds" "$seed"
