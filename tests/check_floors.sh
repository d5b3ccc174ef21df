#!/usr/bin/env bash
# The shape of src/, as src/README.md tells it. Prints each fault with its place, and exits with 1 if there is one:
#
#   floors      a part includes what stands in its own folder, and what stands on a floor below
#   the face    include/homecall/ includes nothing of src/; each of its headers is included, and its functions are defined, on
#               no lower floor than the one that implements it: base the log, server the server
#   circles     no file reaches itself by includes; a .c file and its header are one
#   size        .c files have at most 450 lines, functions at most 60
#
# tests/check_floors.sh [ROOT]: of another tree.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"
shopt -s nullglob
sources=(src/*/*.c src/*/*.h src/*.c)
face=(include/homecall/*.h)
bad=0

awk '
BEGIN {
    floor["base"] = 1
    floor["rooms"] = floor["websocket"] = floor["protocol"] = floor["proxy"] = floor["ice"] = 2
    floor["dialect"] = floor["cluster"] = 3
    floor["net"] = 4
    floor["session"] = 5
    floor["stats"] = 6
    floor["admin"] = 7
    floor["server"] = 8
    floor["app"] = floor["top"] = 9
    floor["main.c"] = 10
    implements["homecall/signal_log.h"] = "base"
    implements["homecall/signal_server.h"] = "server"
}

# The floor of a part, 0 where it has none. The folder of each dialect stands beside net.
function floor_of(part) {
    if (part ~ /^dialect_[a-z0-9_]+$/)
        return 4
    return part in floor ? floor[part] : 0
}

function fault(text) {
    print FILENAME ":" FNR ": " text
    bad = 1
}

# A file without its ending: a .c file and its header are one.
function node_of(file) {
    sub(/\.[ch]$/, "", file)
    return file
}

FNR == 1 {
    split(FILENAME, path, "/")
    is_face = path[1] == "include"
    part = is_face ? "" : path[2]
    if (!is_face && floor_of(part) == 0)
        fault("the folder stands on no floor")
}

/^#include "/ {
    split($0, quoted, "\"")
    included = quoted[2]
    to = included
    sub(/\/.*/, "", to)
    if (is_face) {
        if (to != "homecall")
            fault("the public face includes " included)
        next
    }
    if (to == "homecall") {
        if (!(included in implements) || floor_of(part) < floor_of(implements[included]))
            fault("a floor below the one that implements it includes " included)
        next
    }
    if (floor_of(to) == 0 || (part != to && floor_of(to) >= floor_of(part)))
        fault("includes " included ", which does not stand below")
    from = node_of(substr(FILENAME, length("src/") + 1))
    if (from != node_of(included)) {
        edges[from] = edges[from] " " node_of(included)
        nodes[from] = nodes[node_of(included)] = 1
    }
}

# A definition begins in the first column; a declaration ends with a semicolon.
!is_face && /^[a-z].*signal_(log|server)_[a-z_]+\(/ && !/;$/ {
    match($0, /signal_(log|server)_/)
    owner = substr($0, RSTART, RLENGTH) == "signal_log_" ? "base" : "server"
    if (part != owner)
        fault("defines a function of the public face that belongs to " owner)
}

# Walk on from a node. `trail` is the way to it; a node that is met on its own trail closes a circle.
function walk(node, trail,    next_nodes, count, i, circle) {
    if (state[node] == "done")
        return
    if (state[node] == "open") {
        circle = substr(trail, index(trail " ", " " node " ") + 1)
        print "circle: " circle " " node
        bad = 1
        return
    }
    state[node] = "open"
    count = split(edges[node], next_nodes, " ")
    for (i = 1; i <= count; i++)
        walk(next_nodes[i], trail " " node)
    state[node] = "done"
}

END {
    for (node in nodes)
        walk(node, "")
    exit bad
}' "${face[@]}" "${sources[@]}" || bad=1

# A function begins with the last line that has a letter in its first column, and ends with a } there.
awk '
FNR == 1 { start = is_body = 0 }
/^[A-Za-z_]/ { start = FNR }
/^\{$/ { is_body = start > 0 }
/^\}$/ {
    if (is_body && FNR - start + 1 > 60) {
        print FILENAME ":" start ": a function of " FNR - start + 1 " lines"
        bad = 1
    }
    is_body = 0
}
{ lines[FILENAME] = FNR }
END {
    for (file in lines)
        if (file ~ /\.c$/ && lines[file] > 450) {
            print file ": " lines[file] " lines"
            bad = 1
        }
    exit bad
}' "${sources[@]}" || bad=1
exit "$bad"
