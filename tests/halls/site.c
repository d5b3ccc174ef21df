#include "halls/site.h"

#include "dialect/edge_client.h"

#include "support/run_fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *const hall_rooms[HALL_ROOMS] = {"anna", "quay", "\"odd\" room", "a session"};

enum { START_MS = 1000000, TICK_MS = 50, RESUME_FOR_MS = 30000, PING_MS = 25000 };

static const uint8_t secret[CLUSTER_SECRET_BYTES] = {7};

static caller *caller_of(const participant *p)
{
    return (caller *)(void *)(uintptr_t)p;
}

/* ---- What a caller is told ---- */

__attribute__((format(printf, 2, 3))) static void note(caller *c, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(c->told + c->told_len, MAX_TOLD - c->told_len, format, arguments);
    va_end(arguments);
    REQUIRE(len >= 0 && (size_t)len < MAX_TOLD - c->told_len);
    c->told_len += (size_t)len;
}

static unsigned number_of_id(caller *c, const char *id)
{
    for (unsigned i = 0; i < c->id_count; i++) {
        if (memcmp(c->ids[i], id, ROOM_PEER_ID_LEN) == 0)
            return i;
    }
    REQUIRE(c->id_count < sizeof(c->ids) / sizeof(c->ids[0]));
    memcpy(c->ids[c->id_count], id, ROOM_PEER_ID_LEN);
    return c->id_count++;
}

/* Is this where the id of a peer stands? */
static bool is_at_id(const char *text)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    bool has_key = strncmp(text, "\"peer\":\"", 8) == 0 || strncmp(text, "\"from\":\"", 8) == 0;
    return has_key && strspn(text + 8, alphabet) == ROOM_PEER_ID_LEN && text[8 + ROOM_PEER_ID_LEN] == '"';
}

/* Ids and tokens are random. */
static void write_told(caller *c, const char *text)
{
    while (*text != '\0') {
        if (is_at_id(text)) {
            note(c, "%.8sp%u", text, number_of_id(c, text + 8));
            text += 8 + ROOM_PEER_ID_LEN;
        } else if (strncmp(text, "\"token\":\"", 9) == 0) {
            note(c, "\"token\":\"T");
            text += 9 + 22;
        } else {
            note(c, "%c", *text++);
        }
    }
}

/* What its client learns. */
static void learn(caller *c, const char *text)
{
    const char *token = strstr(text, "\"token\":\"");
    const char *seq = strstr(text, "\"seq\":");
    const char *received = strstr(text, "\"received\":");
    if (seq != NULL)
        c->seen = strtoull(seq + 6, NULL, 10);
    if (strncmp(text, "{\"type\":\"joined\"", 16) != 0 || token == NULL || received == NULL)
        return;
    memcpy(c->former_token, c->token, sizeof(c->token));
    memcpy(c->token, token + 9, 22);
    c->token[22] = '\0';
    c->is_joined = true;
    c->n = strtoull(received + 11, NULL, 10);
    if (strstr(text, "\"resumed\":false") != NULL)
        c->seen = 0;
}

static bool send_text(participant *p, const struct iovec *parts, int count)
{
    static char text[1 << 16];
    size_t len = 0;
    caller *c = caller_of(p);
    if (!c->is_open)
        return false;
    for (int i = 0; i < count; i++) {
        REQUIRE(len + parts[i].iov_len < sizeof(text));
        if (parts[i].iov_len > 0)
            memcpy(text + len, parts[i].iov_base, parts[i].iov_len);
        len += parts[i].iov_len;
    }
    text[len] = '\0';
    note(c, "%llu ", (unsigned long long)c->site->now_ms);
    write_told(c, text);
    note(c, "\n");
    learn(c, text);
    return true;
}

/* ---- The host ---- */

static dialect_hall *hall(const participant *p)
{
    return &caller_of(p)->at->hall;
}

static uint64_t now_ms(const dialect_hall *of)
{
    return ((const place *)of->context)->site->now_ms;
}

static void end(caller *c, bool is_fault)
{
    if (!c->is_open)
        return;
    c->is_open = c->is_held = c->must_resume = c->must_pong = c->must_give_up = c->is_joined = false;
    c->input_count = 0;
    dialect_of(&c->p)->on_end(&c->p, is_fault);
    REQUIRE(c->p.peer.member == NULL);
}

static void end_it(participant *p, participant_end why, const char *text)
{
    caller *c = caller_of(p);
    bool is_fault = why == PARTICIPANT_INVALID_MESSAGES || why == PARTICIPANT_FULL;
    if (c->is_open) /* the texts are for the log */
        note(c, "%llu end %d\n", (unsigned long long)c->site->now_ms, (int)why);
    (void)text;
    end(c, is_fault);
}

static void give_up(participant *p)
{
    caller_of(p)->must_give_up = true;
}

static void ping(participant *p)
{
    caller *c = caller_of(p);
    c->must_pong = c->is_open && !c->is_silent;
}

static bool has_spoken_since(const participant *p, uint64_t since_ms)
{
    return caller_of(p)->read_ms > since_ms;
}

static void resume(participant *p)
{
    caller_of(p)->must_resume = caller_of(p)->is_open;
}

static uint64_t id(const participant *p)
{
    return caller_of(p)->number;
}

static participant_way find_way(participant *p, room_space space, slice room)
{
    (void)p;
    (void)space;
    (void)room;
    return PARTICIPANT_HERE;
}

static bool is_overloaded(const participant *p)
{
    (void)p;
    return false;
}

static char *ice_servers(participant *p)
{
    if (!p->join.may_have_ice)
        return NULL;
    p->join.may_have_ice = false;
    return strdup("[{\"urls\":\"stun:s\"}]");
}

static void *keep_place(participant *p)
{
    (void)p;
    return NULL;
}

static bool may_log(const participant *p, log_level level)
{
    (void)p;
    return log_is_on(level);
}

static const participant_host host = {
    .hall = hall,
    .send = send_text,
    .send_signal = send_text,
    .close = end_it,
    .drop = end_it,
    .give_up = give_up,
    .ping = ping,
    .has_spoken_since = has_spoken_since,
    .resume = resume,
    .id = id,
    .find_way = find_way,
    .is_overloaded = is_overloaded,
    .ice_servers = ice_servers,
    .keep_place = keep_place,
    .may_log = may_log,
};

/* ---- Rooms ---- */

static bool reserve(void *context, uint32_t account, size_t len)
{
    (void)account;
    ((place *)context)->site->reserved += len;
    return true;
}

static void release(void *context, uint32_t account, size_t len)
{
    (void)account;
    place *at = context;
    REQUIRE(at->site->reserved >= len);
    at->site->reserved -= len;
}

static void on_signal(void *context, const room_signal_report *report)
{
    (void)context;
    REQUIRE(report->kind >= 0 && report->kind < SIGNAL_KINDS);
}

/* ---- Between nodes ---- */

static place *place_of(site *s, const node_id *id)
{
    return &s->places[id->bytes[0] - 1];
}

static int room_of(const room_key *key)
{
    for (int i = 0; i < HALL_ROOMS; i++) {
        room_space space = i == HALL_ROOMS - 1 ? ROOM_SPACE_SESSIONS : ROOM_SPACE_ROOMS;
        const room_key known = room_key_of(secret, space, slice_of_text(hall_rooms[i]));
        if (room_key_equals(&known, key))
            return i;
    }
    run_fail("a room that nobody has");
}

static int say_to(void *context, const node_id *to, const wire_message *m, bool is_control)
{
    place *from = context;
    if (!is_control && m->type == WIRE_SIGNAL && from->site->refusals > 0) {
        from->site->refusals--;
        return -EAGAIN;
    }
    from->site->is_carrying = true;
    REQUIRE(held_messages_add(&place_of(from->site, to)->inbox, &from->id, m));
    from->site->is_carrying = false;
    return 0;
}

static int say_home(void *context, const room_home *to, const wire_message *m, bool is_control)
{
    return say_to(context, &to->node, m, is_control);
}

static bool yes(void *context, const node_id *node)
{
    (void)context;
    (void)node;
    return true;
}

static bool no(void *context, const node_id *node)
{
    (void)context;
    (void)node;
    return false;
}

static void on_loss(void *context, cluster_loss why, slice payload)
{
    (void)payload;
    (void)why;
    ((place *)context)->site->lost++;
}

static claims_standing standing(void *context, const room_key *key)
{
    const place *at = context;
    return at->site->owners[room_of(key)] == at->index ? CLAIMS_MINE : CLAIMS_NOT_MINE;
}

static int promise(void *context, const room_key *key, const node_id *giver)
{
    (void)context;
    (void)key;
    (void)giver;
    return 0;
}

static void for_a_key(void *context, const room_key *key)
{
    (void)context;
    (void)key;
}

static int take(void *context, const room_key *key)
{
    place *at = context;
    at->site->owners[room_of(key)] = at->index;
    at->site->moved++;
    return 0;
}

static void give(void *context, const room_key *key, const room_home *to)
{
    place *at = context;
    at->site->owners[room_of(key)] = place_of(at->site, &to->node)->index;
}

static bool is_draining(void *context, const node_id *node)
{
    return place_of(((place *)context)->site, node)->is_draining;
}

static bool find_heir(void *context, node_id *heir)
{
    place *at = context;
    *heir = at->site->places[1 - at->index].id;
    return true;
}

static void want(void *context, const room_key *key)
{
    place *at = context;
    REQUIRE(at->wanted_count < sizeof(at->wanted) / sizeof(at->wanted[0]));
    at->wanted[at->wanted_count++] = *key;
}

static void mistaken(void *context, const room_key *key, const node_id *node)
{
    (void)context;
    (void)key;
    (void)node;
}

static bool carry_one(place *at)
{
    held_message *held = STAILQ_FIRST(&at->inbox);
    if (held == NULL)
        return false;
    STAILQ_REMOVE_HEAD(&at->inbox, link);
    const wire_message m = held_message_read(held);
    if (m.type >= WIRE_JOINED && m.type <= WIRE_CLOSE)
        edge_on_message(&at->edge, &held->from, &m, at->site->now_ms);
    else
        owner_on_message(&at->owner, &held->from, &m, at->site->now_ms);
    free(held);
    return true;
}

static bool decide_one(place *at)
{
    if (at->wanted_count == 0)
        return false;
    const room_key key = at->wanted[--at->wanted_count];
    const room_home home = {.node = at->site->places[at->site->owners[room_of(&key)]].id};
    edge_on_owner(&at->edge, &key, &home, at->site->now_ms);
    return true;
}

/* ---- Turns ---- */

static void handle(caller *c, const input *in)
{
    const dialect *d = dialect_of(&c->p);
    c->read_ms = c->site->now_ms;
    dialect_verdict verdict = d->on_message(&c->p, &c->at->hall, in->is_text, (slice){in->text, in->len});
    REQUIRE(verdict != DIALECT_HAND_OVER);
    if (!c->is_open)
        return;
    c->is_held = verdict == DIALECT_HOLD || verdict == DIALECT_HOLD_MESSAGE;
    if (verdict != DIALECT_HOLD_MESSAGE)
        return;
    memmove(c->inputs + 1, c->inputs, c->input_count * sizeof(input));
    c->inputs[0] = *in;
    c->input_count++;
}

static bool go_on(caller *c)
{
    if (c->must_give_up) {
        note(c, "%llu given up\n", (unsigned long long)c->site->now_ms);
        end(c, false);
        return true;
    }
    if (c->must_resume) {
        c->must_resume = c->is_held = false;
        return true;
    }
    if (c->must_pong) {
        c->must_pong = false;
        c->read_ms = c->site->now_ms;
        dialect_of(&c->p)->on_pong(&c->p);
        return true;
    }
    if (!c->is_open || c->is_held || c->input_count == 0)
        return false;
    static input first;
    first = c->inputs[0];
    c->input_count--;
    memmove(c->inputs, c->inputs + 1, c->input_count * sizeof(input));
    handle(c, &first);
    return true;
}

static void tick(place *at)
{
    uint64_t now = at->site->now_ms;
    if (at->site->is_cluster) {
        edge_tick(&at->edge, now);
        owner_tick(&at->owner, now);
    } else {
        room_manager_tick(at->manager, now);
    }
    for (unsigned i = 0; i < DIALECT_COUNT; i++) {
        if (at->hall.kept[i] != NULL)
            at->dialects.all[i].tick(at->hall.kept[i], now);
    }
}

static bool carry(site *s)
{
    bool has_carried = false;
    for (int i = 0; s->is_cluster && i < NODES; i++) {
        edge_tick(&s->places[i].edge, s->now_ms);
        owner_tick(&s->places[i].owner, s->now_ms);
        has_carried |= decide_one(&s->places[i]) || carry_one(&s->places[i]);
    }
    return has_carried;
}

/* Nodes first: as in one hall, where all that follows in the rooms happens before anybody goes on. */
void site_settle(site *s)
{
    bool is_busy = true;
    for (unsigned rounds = 0; is_busy; rounds++) {
        REQUIRE(rounds < 100000);
        is_busy = carry(s);
        for (int i = 0; i < CALLERS && !is_busy; i++)
            is_busy = go_on(&s->callers[i]);
    }
}

static int count_places(const site *s)
{
    return s->is_cluster ? NODES : 1;
}

void site_pass(site *s, uint64_t ms)
{
    for (uint64_t until = s->now_ms + ms; s->now_ms < until;) {
        s->now_ms += until - s->now_ms < TICK_MS ? until - s->now_ms : TICK_MS;
        for (int i = 0; i < count_places(s); i++)
            tick(&s->places[i]);
        site_settle(s);
    }
}

/* ---- What happens ---- */

void site_connect(site *s, unsigned number, int speaks, int node, const char *invitation)
{
    caller *c = &s->callers[number];
    REQUIRE(!c->is_open);
    c->site = s;
    c->at = &s->places[s->is_cluster ? node : 0];
    c->number = number + 1;
    c->p = (participant){.peer.face = &c->at->dialects.all[speaks].face, .join.may_have_ice = true};
    c->is_open = true;
    c->is_silent = false;
    c->read_ms = s->now_ms;
    note(c, "%llu connected\n", (unsigned long long)s->now_ms);
    if (invitation == NULL)
        return;
    input *in = &c->inputs[c->input_count++];
    in->is_text = false;
    in->len = strlen(invitation);
    memcpy(in->text, invitation, in->len);
    site_settle(s);
}

void site_cut(site *s, unsigned number, bool is_fault)
{
    end(&s->callers[number], is_fault);
    site_settle(s);
}

void site_say(site *s, unsigned number, const char *text)
{
    caller *c = &s->callers[number];
    if (!c->is_open || c->input_count >= INPUTS - 1)
        return;
    input *in = &c->inputs[c->input_count++];
    in->is_text = true;
    in->len = strlen(text);
    REQUIRE(in->len <= MAX_TEXT);
    memcpy(in->text, text, in->len);
    site_settle(s);
}

void site_tick_clients(site *s)
{
    for (int i = 0; i < CALLERS; i++) {
        caller *c = &s->callers[i];
        if (c->is_open && dialect_of(&c->p)->on_ping != NULL)
            dialect_of(&c->p)->on_ping(&c->p);
    }
}

void site_drain(site *s, int node)
{
    enum { LONGEST_MERGE_MS = 2400 };
    bool is_held = false;
    for (int i = 0; i < CALLERS; i++)
        is_held |= s->callers[i].is_held;
    s->places[node].is_draining = s->is_cluster && !is_held; /* or they would begin their wait anew */
    site_pass(s, LONGEST_MERGE_MS);
    s->places[node].is_draining = false;
}

/* Nothing of that node comes any more. */
static void drop_from(held_messages *inbox, const node_id *node)
{
    held_messages kept = STAILQ_HEAD_INITIALIZER(kept);
    held_message *held;
    while ((held = STAILQ_FIRST(inbox)) != NULL) {
        STAILQ_REMOVE_HEAD(inbox, link);
        if (node_id_equals(&held->from, node))
            free(held);
        else
            STAILQ_INSERT_TAIL(&kept, held, link);
    }
    STAILQ_CONCAT(inbox, &kept);
}

void site_lose_node(site *s, int node)
{
    place *other = &s->places[1 - node];
    for (int i = 0; i < HALL_ROOMS; i++)
        s->owners[i] = s->owners[i] == node ? other->index : s->owners[i];
    drop_from(&other->inbox, &s->places[node].id);
    edge_on_node_lost(&other->edge, &s->places[node].id, true, s->now_ms);
    owner_on_node_lost(&other->owner, &s->places[node].id, s->now_ms);
    held_messages_clear(&s->places[node].inbox);
    owner_on_node_lost(&s->places[node].owner, &other->id, s->now_ms);
    drop_from(&other->inbox, &s->places[node].id);
    site_settle(s);
}

void site_heal(site *s, int room)
{
    const room_key key = room_key_of(secret, ROOM_SPACE_ROOMS, slice_of_text(hall_rooms[room]));
    s->owners[room] = 0;
    owner_on_conflict(&s->places[1].owner, &key, &s->places[0].id, s->now_ms);
    site_settle(s);
}

/* ---- Life ---- */

static void open_owner(place *at)
{
    const remotes_events to_edges = {
        .say = say_to, .is_linked = yes, .is_in_doubt = no, .on_loss = on_loss, .context = at};
    const owner_events events = {.standing = standing,
                                 .admit = standing,
                                 .promise = promise,
                                 .break_promise = for_a_key,
                                 .take = take,
                                 .give = give,
                                 .check = for_a_key,
                                 .release = for_a_key,
                                 .is_draining = is_draining,
                                 .find_heir = find_heir,
                                 .context = at};
    for (unsigned i = 0; i < DIALECT_COUNT; i++) {
        const dialect *d = &at->dialects.all[i];
        at->remotes[i] = (dialect_remote){.kind = *d->remote, .hall = &at->hall, .dialect = d};
        at->kinds[i] = &at->remotes[i].kind;
    }
    owner_options options = {
        .self = at->id, .kinds = at->kinds, .kind_count = DIALECT_COUNT, .manager = at->manager};
    memcpy(options.secret, secret, sizeof(secret));
    owner_init(&at->owner, &options, &to_edges, &events);
}

static void open_edge(place *at)
{
    edge_events events = {.say = say_home,
                          .is_linked = yes,
                          .want = want,
                          .mistaken = mistaken,
                          .on_loss = on_loss,
                          .context = at};
    edge_client_fill_events(&events);
    edge_init(&at->edge, &at->id, 0, secret, &events);
    at->hall.edge = &at->edge;
}

static bool open_place(place *at, site *s, int index, unsigned capacity)
{
    const room_limits rooms = {.capacity = capacity,
                               .pending_max_messages = 6,
                               .pending_max_bytes = 1 << 20,
                               .pending_ttl_ms = 120000,
                               .probe_timeout_ms = 3000};
    const room_effects effects = {
        .reserve = reserve, .release = release, .on_signal = on_signal, .context = at};
    const keyed_hash hash = {{(uint8_t)(1 + index)}};
    at->site = s;
    at->index = index;
    at->id = (node_id){{(uint8_t)(index + 1)}};
    STAILQ_INIT(&at->inbox);
    dialects_init(&at->dialects, &host, s->is_cluster);
    at->limits = (dialect_limits){.max_name_bytes = 64,
                                  .faults = {.per_second = 1, .burst = 5},
                                  .ping_interval_ms = PING_MS,
                                  .resume_for_ms = RESUME_FOR_MS,
                                  .outbox_max_messages = 8,
                                  .outbox_max_bytes = 1 << 16,
                                  .ice_ttl_ms = 100000};
    at->hall = (dialect_hall){.counters = &at->counters,
                              .limits = &at->limits,
                              .now_ms = now_ms,
                              .reserve = reserve,
                              .release = release,
                              .context = at};
    if (room_manager_new(&rooms, &effects, &hash, &at->manager) != 0)
        return false;
    at->hall.manager = at->manager;
    for (unsigned i = 0; i < DIALECT_COUNT; i++) {
        const dialect *d = &at->dialects.all[i];
        if (d->open_hall != NULL && (at->hall.kept[i] = d->open_hall(d, &at->hall)) == NULL)
            return false;
    }
    if (s->is_cluster) {
        open_owner(at);
        open_edge(at);
    }
    return true;
}

bool site_open(site *s, bool is_cluster, unsigned capacity)
{
    memset(s, 0, sizeof(*s));
    s->is_cluster = is_cluster;
    s->now_ms = START_MS;
    for (int i = 0; i < HALL_ROOMS; i++)
        s->owners[i] = is_cluster ? i % NODES : 0;
    for (int i = 0; i < count_places(s); i++) {
        if (!open_place(&s->places[i], s, i, capacity))
            return false;
    }
    return true;
}

void site_close(site *s)
{
    for (unsigned i = 0; i < CALLERS; i++)
        site_cut(s, i, false);
    for (int i = 0; i < count_places(s); i++) {
        place *at = &s->places[i];
        if (s->is_cluster) {
            owner_deinit(&at->owner);
            edge_deinit(&at->edge);
            held_messages_clear(&at->inbox);
        }
        for (unsigned k = 0; k < DIALECT_COUNT; k++) {
            if (at->hall.kept[k] != NULL)
                at->dialects.all[k].close_hall(at->hall.kept[k]);
        }
        room_manager_free(at->manager);
    }
    REQUIRE(s->reserved == 0);
}
