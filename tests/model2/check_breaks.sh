#!/usr/bin/env bash
# The model of sessions must find every rule of version 2 that is broken. Each line below breaks one in a copy of a file; the test
# is built with that copy, and has to fail. Exits with 1 if it passes once, or if a line changes nothing any more.
#
#   tests/model2/check_breaks.sh           all of them
#   tests/model2/check_breaks.sh -v        with the scripts that it finds
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
blind=0
compile=(cc -std=c11 -D_GNU_SOURCE '-DHOMECALL_VERSION="test"' -O1 -w -ffunction-sections)
read -ra cflags < <(pkg-config --cflags libevent libcjson libsodium openssl libidn2 cmocka zlib libzstd)
read -ra libs < <(pkg-config --libs libevent libcjson libsodium openssl libidn2 cmocka zlib libzstd)

# The rest is compiled once.
mkdir "$private/rest" "$private/test"
for source in src/{base,websocket,protocol,cluster,dialect,dialect_1,dialect_session,rooms,ice,proxy,net,session,stats}/*.c; do
    name=${source//\//-}
    "${compile[@]}" -Isrc -Iinclude "${cflags[@]}" -c -o "$private/rest/${name%.c}.o" "$source" &
    [ "$(jobs -rp | wc -l)" -lt 4 ] || wait -n
done
for source in tests/model2/*.c tests/support/{client_2,run_fail,server}.c; do
    "${compile[@]}" -Isrc -Itests -Iinclude "${cflags[@]}" -c -o "$private/test/$(basename "$source" .c).o" "$source" &
done
wait
ar rcs "$private/rest.a" "$private"/rest/*.o

# compile_version_2 FOLDER SOURCE...: these files of version 2, to the folder.
compile_version_2() {
    local to=$1 source
    shift
    mkdir -p "$to"
    for source in "$@"; do
        "${compile[@]}" -Isrc -Iinclude "${cflags[@]}" -c -o "$to/$(basename "$source" .c).o" "$source" &
    done
    wait
}

# link_with FOLDER: the test with these objects of version 2.
link_with() {
    cc -Wl,--gc-sections -o "$private/sessions" "$private"/test/*.o "$1"/*.o "$private/rest.a" "${libs[@]}" -lm
}

# broken RULE FILE SED: break the rule by this edit of the file.
broken() {
    local rule=$1 file=$2 edit=$3 status=0
    sed -E "$edit" "src/dialect_2/$file" >"$private/$file"
    if cmp -s "src/dialect_2/$file" "$private/$file"; then
        echo "BLIND: $rule: $file has no such line any more"
        blind=1
        return
    fi
    rm -rf "$private/broken"
    cp -r "$private/whole" "$private/broken"
    compile_version_2 "$private/broken" "$private/$file"
    link_with "$private/broken"
    timeout 300 "$private/sessions" --runs 5000 --seed 1 >"$private/said" 2>&1 || status=$?
    if [ "$status" -gt 0 ] && [ "$status" -lt 100 ] && grep -q 'after step' "$private/said"; then
        echo "ok: $rule ($(grep -E '^seed [0-9]+ fails|^it fails' "$private/said" | head -1))"
        [ "${verbose:-}" != 1 ] || grep -vE '^\[' "$private/said"
    else
        echo "BLIND: $rule: the test ends with $status"
        tail -20 "$private/said"
        blind=1
    fi
}
[ "${1:-}" != -v ] || verbose=1

compile_version_2 "$private/whole" src/dialect_2/*.c
link_with "$private/whole"
if ! "$private/sessions" --runs 2000 --seed 1 >"$private/said" 2>&1; then
    cat "$private/said"
    echo "BLIND: it fails with nothing broken"
    exit 1
fi

broken "what was taken is not taken again" taking.c 's/return n <= s->received \? TURN_WAS : /return n <= s->received ? TURN_NOW : /'
broken "what was not seen is told again" joining.c 's/^ +seat_tell_again\(s, seen\);//'
broken "the former token stays good" seat.c 's/s->former_kind = SEAT_FORMER_OWN;/s->former_kind = SEAT_FORMER_NONE;/'
broken "also after it was shown" joining.c 's/^ +seat_keep_former\(s\);/        seat_renew_token(s);/'
broken "an acknowledgement is cumulative, not more" outbox.c 's/->seq <= seq\)/->seq <= seq + 1)/'
broken "what is received is told" answers.c 's/writer_put_number\(w, s->received\);/writer_put_number(w, s->received == 0 ? 0 : s->received - 1);/'
broken "it is acknowledged within a second" seat_house.c 's/s->owes_since_ms \+ SEAT_ACK_AFTER_MS <= now_ms/false/'
broken "who is away is announced" joining.c 's/^ +room_manager_away\(.*//'
broken "who is back is announced" joining.c 's/^ +room_manager_back\(hall.*/        (void)was_away;/'
broken "a newcomer is told who is away" presence.c 's/other->wire == NULL/false/'
broken "what version 1 has sent is given back" seat_peer.c 's/^ +seat_house_give_back\(.*/    (void)peer;/'
broken "another session's numbers can't be resumed" joining.c 's/return \(is_current \|\| former == SEAT_FORMER_OWN\) &&/return/'
broken "a gap in the outbox can't be resumed" outbox.c 's/return seq \+ 1 >= first_kept;/return true;/'
broken "a lost connection is no leave" joining.c 's/if \(is_fault \|\|/if (true || is_fault ||/'
broken "a session ends in its time" seat_house.c 's/return s->lost_ms \+ house->hall->limits->resume_for_ms;/return s->lost_ms + 1000 * 1000;/'
broken "a session that ends is lost for the others" seat_house.c 's/seat_house_end\(s, SESSION_LEAVE_LOST, ROOM_NEWS_LOST,/seat_house_end(s, SESSION_LEAVE_LOST, ROOM_NEWS_AWAY,/'
broken "a signal says who has sent it" seat_peer.c 's/room_member_write_id\(from, id\);/room_member_write_id(s->peer->member, id);/'
broken "a signal for one is for that one" taking.c 's/\.to = to\}/.to = NULL}/'
broken "each message has its own number" seat.c 's/writer_digits\(s->outbox.next_seq, digits\)/writer_digits(s->outbox.next_seq + (s->wire == NULL), digits)/'
broken "data is what was said last" taking.c 's/^ +room_manager_changed\(.*/        (void)s;/'
broken "the budget is given back" outbox.c 's/^ +bounds->release\(bounds->context, oldest->account, oldest->len\);//'
broken "a place is given back" seat.c 's/^ +s->house->dialect->host->free_place\(.*/        (void)s;/'
exit "$blind"
