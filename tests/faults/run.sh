#!/usr/bin/env bash
# tests/faults/run.sh [OPTION...] [BINARY]: starts the server again and again, and each time another one of its calls fails:
# an allocation, or one of the system calls that plan.py lists. It must refuse to start and say why, or serve a whole new call
# afterwards and stop in time. It fails if one run crashes, hangs, leaks, or goes on and serves nobody.
#
#   --all        every call; else as many as FAULT_SECONDS (60) allow, some of each class, in an order that the seed makes
#   --seed N     that of an earlier run, to repeat it; else a new one, which is printed
#   --call NAME  this class alone; may be given again
#   --jobs N     so many runs at a time (twice as many as there are processors)
#   --only CALL:NTH:ERROR:TRANSPORT   one run, as a line with FAULT names it, with the stack of the call and what the server says
#   --how HOW    instead of once: burst, so that the seven calls behind it fail as well (not of malloc); or, to see a fault found,
#                always, so that all do, crash or leak
#
# It may be a build with AddressSanitizer by gcc. With that of clang, whose functions are in the program, nothing would fail.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=${FAULT_SECONDS:-60}
seed=$((RANDOM * 32768 + RANDOM))
binary=$root/build/release/homecall-signal
options=()
while [ $# -gt 0 ]; do
    case $1 in
    --all) seconds=0 ;;
    --seed)
        seed=$2
        shift
        ;;
    --call | --jobs | --only | --how)
        options+=("$1" "$2")
        shift
        ;;
    *) binary=$1 ;;
    esac
    shift
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cc -shared -fPIC -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -o "$folder/fail_nth.so" "$root/tests/faults/fail_nth.c"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null
echo "seed $seed"
python3 -B "$root/tests/faults/sample.py" "$binary" "$folder/fail_nth.so" "$folder" --seconds "$seconds" --seed "$seed" \
    "${options[@]}"
