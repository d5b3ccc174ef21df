/* Calls, one after the other in each pair: the caller joins, its offer and K candidates are queued, the
 * callee joins and gets them, answers with K candidates, and both leave. An operation is a call, until the
 * last signal has arrived (with --reconnect: until both connections are closed).
 *
 * The messages of a user are a script. All that it can send at once is one TCP send, or with --singly each
 * message is one, in turn with all other pairs. The callee leaves after its last candidate, and the caller
 * before its next join. So if a server handles messages in the order in which they were sent, the room is
 * empty at the start of each call, and the server has to queue. */
#include "scenario/scenario.h"

/* The steps of the two scripts. From the last one on, each step is a candidate. */
enum { CALLER_LEAVES, CALLER_JOINS, CALLER_OFFERS, CALLER_CANDIDATES };
enum { CALLEE_JOINS, CALLEE_ANSWERS, CALLEE_CANDIDATES };

static uint32_t in_flight(const load_options *o)
{
    return (uint32_t)o->candidates + 2; /* with a hangup */
}

static bool connects_first(const load_options *o)
{
    return !o->reconnect;
}

/* Both scripts have three messages besides the candidates. */
static bool has_said_all(const user *u)
{
    return u->step == u->thread->options->candidates + 3;
}

static void enter_room(user *u)
{
    if (u->thread->options->fresh_rooms && !u->dialect->joins_by_connecting)
        user_choose_room(u, u->number);
    user_join(u);
}

/* Send the message of this step. Signals of the caller are queued until the callee joins. Then their time is
 * not measured. */
static void caller_says(user *u, uint32_t step)
{
    const load_options *o = u->thread->options;
    bool waits = !o->dialect->joins_by_connecting || o->reconnect;
    uint64_t at_ns = waits ? 0 : u->thread->clients.now_ns;
    if (step == CALLER_LEAVES)
        user_leave(u);
    else if (step == CALLER_JOINS)
        enter_room(u);
    else
        user_send(u, step == CALLER_OFFERS ? LOAD_OFFER : LOAD_CANDIDATE, at_ns);
}

/* The callee ends the call: by a hangup where there is one, by leaving, with --reconnect by closing. */
static void end_call_of(user *callee)
{
    user_hang_up(callee);
    if (callee->thread->options->reconnect)
        user_close(callee);
    else if (!callee->dialect->joins_by_connecting)
        user_leave(callee);
}

/* Send the message of this step; the last one ends the callee's part. */
static void callee_says(user *u, uint32_t step)
{
    const load_options *o = u->thread->options;
    if (step == CALLEE_JOINS)
        enter_room(u);
    else if (step < CALLEE_CANDIDATES + o->candidates)
        user_send(u, step == CALLEE_ANSWERS ? LOAD_ANSWER : LOAD_CANDIDATE, u->thread->clients.now_ns);
    else
        end_call_of(u);
}

/* Can it send its next message now? Both first wait for the answer to their join, if there is one; then the
 * callee waits for the caller's signals. */
static bool has_more_to_say(const user *u)
{
    bool listens = !scenario_callers(u) && u->step == CALLEE_ANSWERS && user_under_way(u->peer) > 0;
    return !has_said_all(u) && !listens && !user_is_joining(u);
}

static void say_one(user *u)
{
    uint32_t step = u->step++;
    if (scenario_callers(u))
        caller_says(u, step);
    else
        callee_says(u, step);
}

static void speak_or_say_all(user *u);

/* Start a user's part of the call: connect first, if it is not connected. */
static void appear(user *u)
{
    if (u->client.state == WS_CLIENT_OPEN) {
        speak_or_say_all(u);
        return;
    }
    if (!scenario_callers(u))
        u->due_ns = u->thread->clients.now_ns; /* the caller's connection is due when its call is */
    user_connect(u);
}

static void end_call(user *caller)
{
    load_end(caller->thread, caller->due_ns);
    load_rest(caller);
}

/* The call is over when the callee has sent everything, and the caller has got it. */
static void end_if_over(user *caller)
{
    bool is_over = has_said_all(caller->peer) && user_under_way(caller->peer) == 0;
    if (!is_over)
        return;
    if (caller->thread->options->reconnect)
        user_close(caller);
    else
        end_call(caller);
}

/* The user has sent all that it can send now. */
static void on_said(user *u)
{
    if (user_is_joining(u))
        return;
    if (scenario_callers(u))
        appear(u->peer);
    else if (has_said_all(u))
        end_if_over(u->peer);
}

/* With --singly: send one message in each turn. */
static bool speak(user *u)
{
    say_one(u);
    ws_client_flush(&u->client);
    if (has_more_to_say(u))
        return true;
    on_said(u);
    return false;
}

/* Send all that the user can send now, at once or, with --singly, one message in each turn. */
static void speak_or_say_all(user *u)
{
    if (u->thread->options->singly && has_more_to_say(u)) {
        load_speak(u);
        return;
    }
    while (has_more_to_say(u))
        say_one(u);
    ws_client_flush(&u->client); /* before the other user sends something */
    on_said(u);
}

static void begin(user *caller, uint64_t due_ns)
{
    user *callee = caller->peer;
    caller->due_ns = due_ns;
    caller->step = CALLER_LEAVES;
    callee->step = CALLEE_JOINS;
    callee->number = ++caller->number;
    if (caller->thread->options->reconnect) {
        user_rename(caller, caller->number);
        user_rename(callee, caller->number);
        if (caller->thread->options->fresh_rooms) {
            user_choose_room(caller, caller->number);
            user_choose_room(callee, caller->number);
        }
    }
    appear(caller);
}

static void on_open(user *u)
{
    load_time(u->thread, LATENCY_CONNECT, u->due_ns);
    speak_or_say_all(u);
}

static void on_joined(user *u, bool is_anew)
{
    (void)is_anew;
    if (u->is_starting || u->thread->phase >= PHASE_CLOSE)
        return;
    speak_or_say_all(u);
}

static void on_signal(user *u, load_kind kind)
{
    (void)kind;
    if (scenario_callers(u))
        end_if_over(u);
    else if (u->step > CALLEE_JOINS && has_said_all(u->peer) && user_under_way(u->peer) == 0)
        speak_or_say_all(u); /* if it has not joined yet, it will be started anyway */
}

/* With --reconnect, both connections are closed at the end of a call. The second one ends it. */
static void on_end(user *u, uint16_t code, const char *why)
{
    user *caller = scenario_caller_of(u);
    if (!u->thread->options->reconnect || code != WS_CLOSE_NORMAL) {
        user_fault_lost(u, code, why);
        return;
    }
    LOAD_COUNT(u->thread, closes, 1);
    if (u->peer->client.state == WS_CLIENT_ENDED && has_said_all(caller->peer))
        end_call(caller);
}

const scenario scenario_call = {
    .name = "call",
    .operation = "call",
    .help = "caller joins, offer and candidates queue, callee joins and answers, both leave",
    .can_join_by_connecting = true,
    .users = scenario_users_are_pairs,
    .signal_size = scenario_call_signal_size,
    .in_flight = in_flight,
    .count = scenario_count_is_asked_for,
    .connects_first = connects_first,
    .joins_first = scenario_never,
    .begin = begin,
    .may_rest = scenario_callers,
    .speak = speak,
    .events = {.on_open = on_open, .on_joined = on_joined, .on_signal = on_signal, .on_end = on_end},
};
