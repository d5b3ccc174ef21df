#!/usr/bin/env bash
# Checks the shape of src/, as src/README.md describes it, and the sizes in tests/cluster/. Prints each fault with its place, and
# exits with 1 if there is one:
#
#   layers      a part includes files of its own folder, and of the layers below it
#   public      include/homecall/ includes nothing of src/. Its headers are included, and its functions are defined, in no lower
#               layer than the one that implements them: base for the log, server for the server
#   cycles      no file includes itself through others; a .c file and its header count as one
#   size        .c files have at most 450 lines, functions at most 60
#
# tests/check_layers.sh [ROOT]: of another tree.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"
shopt -s nullglob
sources=(src/*/*.c src/*/*.h src/*.c)
face=(include/homecall/*.h)
bad=0

awk '
BEGIN {
    layer["base"] = 1
    layer["rooms"] = layer["websocket"] = layer["protocol"] = layer["proxy"] = layer["ice"] = 2
    layer["cluster"] = 3
    layer["dialect"] = 4
    layer["net"] = 5
    layer["session"] = 6
    layer["stats"] = 7
    layer["admin"] = 8
    layer["server"] = 9
    layer["app"] = layer["top"] = 10
    layer["main.c"] = 11
    implements["homecall/signal_log.h"] = "base"
    implements["homecall/signal_server.h"] = "server"
}

# The layer of a part, 0 where it has none. The folder of each dialect stands beside net.
function layer_of(part) {
    if (part ~ /^dialect_[a-z0-9_]+$/)
        return 5
    return part in layer ? layer[part] : 0
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
    if (!is_face && layer_of(part) == 0)
        fault("the folder is in no layer")
}

/^#include "/ {
    split($0, quoted, "\"")
    included = quoted[2]
    to = included
    sub(/\/.*/, "", to)
    if (is_face) {
        if (to != "homecall")
            fault("the public interface includes " included)
        next
    }
    if (to == "homecall") {
        if (!(included in implements) || layer_of(part) < layer_of(implements[included]))
            fault("a layer below the one that implements it includes " included)
        next
    }
    if (layer_of(to) == 0 || (part != to && layer_of(to) >= layer_of(part)))
        fault("includes " included ", which is not in a layer below")
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
        fault("defines a public function that belongs to " owner)
}

# Walk on from a node. `trail` is the way to it; a node that is met on its own trail closes a cycle.
function walk(node, trail,    next_nodes, count, i, cycle) {
    if (state[node] == "done")
        return
    if (state[node] == "open") {
        cycle = substr(trail, index(trail " ", " " node " ") + 1)
        print "cycle: " cycle " " node
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
}' "${sources[@]}" tests/cluster/*.[ch] || bad=1
exit "$bad"
