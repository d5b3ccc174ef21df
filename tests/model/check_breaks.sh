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
    if ! cc -std=c11 -D_GNU_SOURCE -O1 -I"$private/src" -Isrc -o "$private/test" "$private"/*.o "$private"/src/rooms/*.c "${flags[@]}"
    then
        echo "BLIND: $rule: what is broken can't be compiled"
        blind=1
        return
    fi
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
broken "nobody gets back its own" room_signals.c 's/only == NULL \? to != from/only == NULL ? true/'
broken "a signal to one goes to that one alone" room_signals.c 's/: to == only\)/: to != from)/'
broken "a signal to one is not queued" room_signals.c 's/r->member_count == 1 \&\& only == NULL/r->member_count <= 2 \&\& (only != NULL || r->member_count == 1)/'
broken "a fleeting signal is not queued" room_signals.c 's/if \(!signal->is_fleeting\)/if (true)/'
broken "a kind of signals that is not understood is dropped" room_signals.c 's/if \(\(face->kinds .*/if (false)/'
broken "a user gets its own queue back" room_signals.c 's/^( +)set_owner\(manager, r->backlog, newcomer\);/\1empty_queue(manager, r, newcomer, ROOM_FAILURE_NONE);/'
broken "only a user gets its queue back" room_signals.c 's/if \(owner->has_user \&\& newcomer->has_user \&\& /if (/'
broken "a queue is in order" pending_queue.c 's/STAILQ_INSERT_TAIL/STAILQ_INSERT_HEAD/'
broken "a queue is bounded in messages" pending_queue.c 's/queue->count < bounds->max_messages/queue->count <= bounds->max_messages/'
broken "a queue is bounded in bytes" pending_queue.c 's/len <= bounds->max_bytes - queue->bytes/len <= bounds->max_bytes - queue->bytes + 1/'
broken "the budget is given back" pending_queue.c 's/^ +bounds->release\(bounds->context, signal->account, signal->len\);//'
broken "leave drops the queue" room_manager.c 's/if \(room_signals_has_queue_of\(member\)\) \/\*.*/if (false)/'
broken "a leave and a loss are told apart" room_signals.h 's/why == ROOM_NEWS_LOST \?/why != ROOM_NEWS_LOST ?/'
broken "a lost connection keeps the queue for its time" room_signals.c 's/now_ms \+ manager->limits.pending_ttl_ms/now_ms + 1/'
broken "a queue that is not kept ends with the connection" room_places.c 's/ \&\& !member->peer->face->keeps_queue\)/ \&\& false)/'
broken "a queue whose time is over is dropped" room_manager.c 's/^ +room_signals_drop\(manager, lapsed, .*/break;/'
broken "what comes back is queued for one who is alone" room_signals.c 's/if \(from->room->member_count != 1 \|\| /if (/'
broken "what comes back is queued for one who is still there" room_succession.c 's/sender->order != sender_order/false/'
broken "what comes back is queued for one of version 1" room_succession.c 's/ \|\| sender->peer->face->version != 1//'
broken "a room has its capacity" room_manager_parts.h 's/r->member_count >= capacity/r->member_count > capacity/'
broken "a session is for two" room_manager_parts.h 's/r->space == ROOM_SPACE_SESSIONS \?/false ?/'
broken "a takeover closes the old connection" room_manager.c 's/^ +old->face->on_replaced.*//'
broken "only a user is taken over" room_manager.c 's/bool has_user = peer->face->has_users/bool has_user = true/'
broken "only a user takes over" room.c 's/\((waiter->)?member->has_user \&\& slice_equals/(slice_equals/'
broken "a succession drops the queue" room_succession.c 's/if \(room_signals_has_queue_of\(old\)\)/if (false)/'
broken "a successor comes in before all who wait" room_succession.c 's/^( +)room_places_enter\(/\1room_places_settle(manager, r);\n&/'
broken "a successor has shown that it is there" room_succession.c 's/^ +room_places_settle.*//'
broken "a number is never given again" room.c 's/member->order = \+\+r->last_order/member->order = r->last_order = r->member_count + 1U/'
broken "who takes over is a new member" room_places.c 's/^( +)room_places_enter\(manager, member, false\);/&\n\1member->order--;/'
broken "a newcomer hears that it is in" room_places.c 's/^ +peer->face->on_entered\(peer\);/(void)peer;/'
broken "the others hear of a newcomer" room_places.c 's/^ +room_news_tell\(member, ROOM_NEWS_JOINED.*//'
broken "the others hear who goes, and why" room_places.c 's/room_news_tell\(member, why, text\)/room_news_tell(member, ROOM_NEWS_LEFT, text)/'
broken "nobody hears of itself" room_news.c 's/other != about \&\& //'
broken "who waits is no member" room_manager.c 's/^ +if \(!member->is_waiting\)$//'
broken "first come, first let in" room.c 's/while \(\*place != NULL \&\& .*/if (false)/'
broken "former members go before strangers" room.c 's/\(!waiter->was_member \|\| .*/true)/'
broken "a room remembers as many as it has places" room_places.c 's/manager->now_ms, manager->limits.capacity\);/manager->now_ms, 1);/'
broken "a room forgets after a while" former_members.c 's/return now_ms <= former->lost_ms \+ ttl_ms;/return true;/'
broken "who comes back is no former member" room_places.c 's/^ +former_members_remove.*/;/'
broken "only users are former members" waiting_line.c 's/newcomer->has_user \&\&/true \&\&/'
broken "nobody is asked twice within a second" waiting_line.c 's/return member->asked_ms != 0.*/return false;/'
broken "silent members make way" waiting_line.c 's/owes_answer\(member\) \&\&$/false \&\&/'
broken "an answer counts, also for who was asked again" waiting_line.c 's/member->peer->face->is_alive_since\(member->peer, since_ms\)/((void)since_ms, false)/'
broken "a newcomer is refused by the last answer" room_manager.c 's/^ +member->owes_answer = false;$/& return;/'
broken "members have their time to answer" waiting_line.c 's/member->asked_ms \+ manager->limits.probe_timeout_ms/member->asked_ms + manager->limits.probe_timeout_ms - 1/'
broken "members are pinged" waiting_line.c 's/^ +member->peer->face->probe.*//'
broken "who is away gives way" room_places.c 's/if \(away != NULL\)/if (false)/'
broken "who is away gives way only if it must" room_places.c 's/if \(is_full \|\| waiting_line_doubts.*/if (true) {/'
broken "who is away the longest goes first" waiting_line.c 's/since_ms < away_since_ms\(longest\)/since_ms > away_since_ms(longest)/'
broken "silent members go before those who are away" room_places.c 's/^ +drop_silent_members\(manager, r\);//'
broken "who is away owes an answer" waiting_line.c 's/if \(away_since_ms\(member\) != 0 \|\| is_in_doubt\(member\)\)/if (is_in_doubt(member))/'
broken "who is away has no time to answer" waiting_line.c 's/return away_since_ms\(member\) == 0 \&\& !is_in_doubt/return !is_in_doubt/'
broken "who is back is alive" room_manager.c 's/^ +room_places_settle\(manager, peer->member->room\);//'
broken "a newcomer to a session doubts a silent member" waiting_line.c 's/^ +return !is_alive_since\(SLIST_FIRST.*/return false;/'
broken "it trusts one who was read within a second" waiting_line.c 's/TRUST_MS = 1000/TRUST_MS = 999/'
broken "it waits for one who was asked later" room_places.c 's/^ +waiting_line_renew.*/room_places_refuse(manager, waiter);/'
broken "one who came in meanwhile is asked in turn" room_places.c 's/^ +waiting_line_probe\(manager, r, manager->now_ms\);/;/'
broken "nobody is refused by a room that is not full" room_places.c 's/^    if \(room_manager_is_full\(manager, r\)\)$/    if (true)/'
broken "rooms are told apart" room_table.c 's/name\.len, hash/1, hash/; s/room_hash\(\&table->hash, space, name\)/1U/'
broken "spaces are told apart" room_hash.h 's/ \^ difference \* \(uint64_t\)space;/; (void)difference; (void)space;/'
broken "an empty room is freed" room_places.c 's/if \(r->member_count == 0 \&\& r->backlog == NULL\)/if (false)/'
exit "$blind"
