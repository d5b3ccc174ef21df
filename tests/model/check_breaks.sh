#!/usr/bin/env bash
# The model test must find every rule of the rooms that is broken. Each line below breaks one in a copy of src/rooms; the test is
# built with that copy, and has to fail. Exits with 1 if it passes once, or if a line changes nothing any more.
#
#   tests/model/check_breaks.sh            all of them
#   tests/model/check_breaks.sh -v         with the sequences that it finds
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
blind=0
read -ra flags < <(pkg-config --cflags --libs cmocka libsodium)
others=(tests/model/*.c src/base/slice.c src/base/keyed_hash.c)

# The rest is compiled once.
for source in "${others[@]}"; do
    cc -std=c11 -D_GNU_SOURCE -O1 -Isrc -Itests -Iinclude -c -o "$private/$(basename "$source" .c).o" "$source"
done

# broken RULE FILE SED: break the rule by this edit of the file.
broken() {
    local rule=$1 file=$2 edit=$3 status=0
    rm -rf "$private/src"
    mkdir "$private/src"
    cp -r src/rooms "$private/src/"
    sed -E -i "$edit" "$private/src/rooms/$file"
    if cmp -s "src/rooms/$file" "$private/src/rooms/$file"; then
        echo "BLIND: $rule: $file has no such line any more"
        blind=1
        return
    fi
    cc -std=c11 -D_GNU_SOURCE -O1 -I"$private/src" -Isrc -o "$private/test" "$private"/*.o "$private"/src/rooms/*.c "${flags[@]}"
    # Some are found by one sequence in thousands: the same ones each time, and many.
    ROOM_MODEL_SEED=1 ROOM_MODEL_SEQUENCES=100000 timeout 120 "$private/test" >"$private/said" 2>&1 || status=$?
    if [ "$status" -eq 1 ] && grep -q 'after step' "$private/said"; then
        echo "ok: $rule ($(grep -cE '^ *[0-9]+\. ' "$private/said") steps)"
        [ "${verbose:-}" != 1 ] || grep -vE '^\[|Assertion' "$private/said"
    else
        echo "BLIND: $rule: the test ends with $status"
        tail -20 "$private/said"
        blind=1
    fi
}
[ "${1:-}" != -v ] || verbose=1

broken "a signal goes to every other user" room_signals.c 's/^( +)deliver\(manager, ROOM_SIGNAL_RELAYED.*/{ & break; }/'
broken "nobody gets back its own" room_signals.c 's/if \(to != from\)/if (true)/'
broken "a user gets its own queue back" room_signals.c 's/^( +)set_owner\(manager, r->backlog, newcomer\);/\1empty_queue(manager, r, newcomer, ROOM_FAILURE_NONE);/'
broken "a queue is in order" pending_queue.c 's/STAILQ_INSERT_TAIL/STAILQ_INSERT_HEAD/'
broken "a queue is bounded in messages" pending_queue.c 's/queue->count < bounds->max_messages/queue->count <= bounds->max_messages/'
broken "a queue is bounded in bytes" pending_queue.c 's/len <= bounds->max_bytes - queue->bytes/len <= bounds->max_bytes - queue->bytes + 1/'
broken "the budget is given back" pending_queue.c 's/^ +bounds->release\(bounds->context, signal->account, signal->len\);//'
broken "leave drops the queue" room_manager.c 's/if \(room_signals_has_queue_of\(member\)\) \/\*.*/if (false)/'
broken "a lost connection keeps the queue for its time" room_signals.c 's/now_ms \+ manager->limits.pending_ttl_ms/now_ms + 1/'
broken "a queue whose time is over is dropped" room_manager.c 's/^ +room_signals_drop\(manager, lapsed, .*/break;/'
broken "a room has its capacity" room_manager.c 's/member_count >= manager->limits.capacity/member_count > manager->limits.capacity/'
broken "a takeover closes the old connection" room_manager.c 's/^ +old->face->on_replaced.*//'
broken "first come, first let in" room.c 's/while \(\*place != NULL \&\& .*/if (false)/'
broken "former members go before strangers" room.c 's/\(!waiter->was_member \|\| .*/true)/'
broken "a room remembers as many as it has places" room_manager.c 's/now_ms, manager->limits.capacity\);/now_ms, 1);/'
broken "a room forgets after a while" former_members.c 's/return now_ms <= former->lost_ms \+ ttl_ms;/return true;/'
broken "who comes back is no former member" room_manager.c 's/^ +former_members_remove.*//'
broken "nobody is asked twice within a second" waiting_line.c 's/return member->asked_ms != 0.*/return false;/'
broken "silent members make way" waiting_line.c 's/return owes_answer\(member\) \&\& is_time_over/return false \&\& is_time_over/'
broken "an answer counts, also for who was asked again" waiting_line.c 's/return member->peer->face->is_alive_since.*/(void)member; (void)since_ms; return false;/'
broken "a newcomer is refused by the last answer" room_manager.c 's/^ +member->owes_answer = false;$/& return;/'
broken "members have their time to answer" waiting_line.c 's/member->asked_ms \+ manager->limits.probe_timeout_ms/member->asked_ms + manager->limits.probe_timeout_ms - 1/'
broken "members are pinged" waiting_line.c 's/^ +member->peer->face->probe.*//'
broken "rooms are told apart" room_table.c 's/name\.len, hash/1, hash/; s/keyed_hash_of\(\&table->hash, name\)/1U/'
broken "an empty room is freed" room_manager.c 's/if \(r->member_count == 0 \&\& r->backlog == NULL\)/if (false)/'
exit "$blind"
