#!/usr/bin/env bash
# The simulation of several nodes must find every rule of theirs that is broken. Each line below breaks one in a copy of a file;
# the test is built with that copy, and has to fail. Exits with 1 if it passes once, or if a line changes nothing any more.
#
#   tests/cluster/check_breaks.sh           all of them
#   tests/cluster/check_breaks.sh -v        with the scripts that it finds
#   tests/cluster/check_breaks.sh [-v] TEXT those whose rule has this text in it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
blind=0
compile=(cc -std=c11 -D_GNU_SOURCE '-DHOMECALL_VERSION="test"' -O1 -w -ffunction-sections)
read -ra cflags < <(pkg-config --cflags libevent libcjson libsodium openssl libidn2 cmocka zlib libzstd)
read -ra libs < <(pkg-config --libs libevent libcjson libsodium openssl libidn2 cmocka zlib libzstd)

# compile_to FOLDER SOURCE...: an object of each, several at a time.
compile_to() {
    local to=$1 source
    shift
    mkdir -p "$to"
    for source in "$@"; do
        "${compile[@]}" -Isrc -Itests -Iinclude "${cflags[@]}" -c -o "$to/$(basename "$source" .c).o" "$source" &
        [ "$(jobs -rp | wc -l)" -lt 4 ] || wait -n
    done
    wait
}

# link_with FOLDER: the test (which looks between parts) with these objects of the cluster and of the rooms.
link_with() {
    cc -Wl,--gc-sections,--wrap=link_new,--wrap=edge_end_unreachable -o "$private/cluster" "$private"/test/*.o "$1"/*.o "$private/rest.a" "${libs[@]}" -lm -lpthread
}

# broken RULE FILE SED: break the rule by this edit of the file.
broken() {
    local rule=$1 file=$2 edit=$3 status=0 copy
    [[ $rule == *"$only"* ]] || return 0
    copy=$private/$(basename "$file")
    sed -E "$edit" "src/$file" >"$copy"
    if cmp -s "src/$file" "$copy"; then
        echo "BLIND: $rule: $file has no such line any more"
        blind=1
        return
    fi
    rm -rf "$private/broken"
    cp -r "$private/whole" "$private/broken"
    if ! "${compile[@]}" -Isrc -Iinclude "${cflags[@]}" -c -o "$private/broken/$(basename "$file" .c).o" "$copy"; then
        echo "BLIND: $rule: it can't be compiled"
        blind=1
        return
    fi
    link_with "$private/broken"
    timeout 900 "$private/cluster" --runs "${runs:-8000}" --seed 1 >"$private/said" 2>&1 || status=$?
    if [ "$status" -gt 0 ] && [ "$status" -lt 100 ] && grep 'after step' "$private/said" >/dev/null; then
        echo "ok: $rule ($(grep -E '^seed [0-9]+ fails' "$private/said" | head -1))"
        [ "${verbose:-}" != 1 ] || grep -vE '^\[' "$private/said"
    else
        echo "BLIND: $rule: the test ends with $status"
        tail -20 "$private/said"
        blind=1
    fi
}
[ "${1:-}" != -v ] || verbose=1
[ "${1:-}" != -v ] || shift
only=${1:-}

compile_to "$private/rest" src/{base,protocol}/*.c tests/support/{client,run_fail,server}.c
rm -f "$private/rest/client.o"
ar rcs "$private/rest.a" "$private"/rest/*.o
compile_to "$private/test" tests/cluster/*.c
shopt -s extglob
compile_to "$private/whole" src/cluster/!(courier*|engine_options).c src/rooms/*.c # those speak with a real engine
link_with "$private/whole"
if ! "$private/cluster" --runs 2000 --seed 1 >"$private/said" 2>&1; then
    cat "$private/said"
    echo "BLIND: it fails with nothing broken"
    exit 1
fi

c=cluster
broken "silence counts only while the engine is there" $c/members.c 's/return member->heard_ms > m->engine_since_ms \?.*/return member->heard_ms;/'
broken "a node listens before it claims" $c/members.c 's/now_ms >= m->listening_ms \+ MEMBERS_LISTEN_MS/now_ms >= m->listening_ms/'
broken "all must say NO" $c/claims.c 's/it->awaited &= ~\(UINT64_C\(1\) << slot\);/it->awaited = 0;/'
broken "who owns says so" $c/claims.c 's/answer\(c, m, WIRE_OWNED, &here\)/answer(c, m, WIRE_NO, \&here)/'
broken "a new link is told what is owned" $c/claims.c 's/^    claims_announce\(c, \(int\)slot\);$//'
broken "a room that is wanted again is kept" $c/claims.c 's/it->state == CLAIM_LEAVING\)$/false)/'
broken "what is not acknowledged is said again" $c/link.c 's/if \(now_ms >= l->resend_ms\)/if (false)/'
broken "what comes twice is taken once" $c/link.c 's/if \(data->number != l->received \+ 1\) \{/if (data->number > l->received + 1) {/'
broken "what is missing is waited for" $c/link.c 's/if \(data->number != l->received \+ 1\) \{/if (data->number <= l->received) {/'
broken "one side gives, and always the same" $c/merge.c 's/node_id_compare\(&o->self, rival\) > 0/true/'
broken "a frozen room holds what comes" $c/owner.c 's/\} else if \(r->room->is_given\) \{/} else if (false) {/'
broken "who has given a room forwards" $c/owner.c 's/^        forward\(o, r, m\);$/        lose_signal(o, CLUSTER_LOSS_LINK, m);/'
broken "who has come by a merge is corked" $c/merge_take.c 's/r->corked_ms = is_away \? 0 : o->all.now_ms;/r->corked_ms = 0;/'
broken "an edge holds input while it switches" $c/edge_told.c 's/^    b->state = BINDING_SWITCHING;$//'
broken "an edge joins again where its owner is lost" $c/edge.c 's/^            edge_join_again\(b\);$/            (void)b;/'
broken "a JOIN opens no room that is not ours" $c/owner_join.c 's/^        remotes_tell_of\(&o->all, WIRE_NOT_OWNER, edge, m->binding\);$/        join_here(o, edge, \&key, m);/'
broken "the members of a lost edge are lost" $c/owner.c 's/^                on_bound_message\(o, r, &m\);$//'
broken "what an edge has accepted waits for the link" $c/edge.c 's/(say\(e->events.context, &b->owner, &m, false\)) != 0\)/\1 == -ENOTCONN)/'
broken "who comes back has shown that it lives" $c/owner_join.c 's/^        room_manager_on_alive\(.*$/        (void)m;/'
broken "of two owners that drain one takes" $c/merge_take.c 's/bool may_take = is_ours \|\| /bool may_take = /'
runs=25000 broken "who drains stops giving when a rival gives" $c/merge.c 's/^        prefer_rival\(o, from, m\);$/        (void)from;/'
broken "who joins again does not meet itself" $c/owner.c 's/^        lose_former\(o, edge, m\);$//'
broken "nobody is held when the hold is over" $c/edge.c 's/if \(b->state == BINDING_SEEKING \? !opens_rooms : !is_here\)/if (false \&\& is_here)/'
broken "a room of this node goes on without the engine" $c/edge.c 's/if \(b->state == BINDING_SEEKING \? !opens_rooms : !is_here\)/if (!opens_rooms || !is_here)/'
broken "a worker speaks by the link that it knows of" $c/node_core_calls.c 's/ && c->peers\[slot\].generation == ear->generations\[slot\]//'
broken "nobody who is in doubt is dropped" rooms/waiting_line.c 's/return face->is_in_doubt != NULL && .*/return false;/'
broken "a queue goes along" $c/merge.c 's/^    say\(context, &m\);$/    (void)m;/'
broken "a room that moves as a whole keeps its places" rooms/room_moving.c 's/^    member->peer->member = member;$//'
broken "a room that was given is forgotten" rooms/room_moving.c 's/^    room_places_close\(manager, r\);$//'
exit "$blind"
