#!/usr/bin/env bash
# The floors of src/README.md: a part may include what stands on its own floor in its own folder, and what stands below.
# Prints each include that goes up or sideways, and exits with 1 if there is one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

awk '
BEGIN {
    floor["base"] = 1
    floor["rooms"] = floor["websocket"] = floor["protocol"] = floor["proxy"] = floor["ice"] = 2
    floor["net"] = 3
    floor["session"] = 4
    floor["stats"] = 5
    floor["admin"] = 6
    floor["server"] = 7
    floor["app"] = floor["top"] = 8
}
/^#include "[a-z]+\// {
    split(FILENAME, path, "/")
    match($0, /"[a-z]+\//)
    from = path[2]
    to = substr($0, RSTART + 1, RLENGTH - 2)
    if (to == "homecall" || from == "main.c")
        next # the public face belongs to whoever implements it
    if (!(to in floor) || (from != to && floor[to] >= floor[from])) {
        print FILENAME ":" FNR ": " $0
        bad = 1
    }
}
END { exit bad }' src/*/*.[ch] src/main.c
