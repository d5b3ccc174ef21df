#include "dialect_2/presence.h"

/* Is it one of version 2, which has more to tell than its name? */
static const seat *seat_of_member(const seat *reader, const room_member *member)
{
    const room_peer *peer = room_member_peer(member);
    return peer->face == reader->peer->face ? reader->house->holder->seat_of(peer) : NULL;
}

/* Everything but the braces. */
static void write_peer(writer *w, const seat *reader, const room_member *member)
{
    char id[ROOM_PEER_ID_LEN];
    room_member_write_id(member, id);
    const seat *s = seat_of_member(reader, member);
    WRITER_PUT(w, "\"peer\":\"");
    writer_put(w, (slice){id, sizeof(id)});
    WRITER_PUT(w, "\",\"user\":");
    writer_put(w, room_member_user_json(member));
    WRITER_PUT(w, ",\"data\":");
    writer_put(w, s != NULL && seat_data(s).len > 0 ? seat_data(s) : SLICE_LITERAL("null"));
    WRITER_PUT(w, ",\"order\":");
    writer_put_number(w, room_member_order(member));
    WRITER_PUT(w, ",\"v\":");
    writer_put_number(w, room_member_peer(member)->face->version);
    if (s != NULL && seat_formerly(s).len > 0) {
        WRITER_PUT(w, ",\"formerly\":\"");
        writer_put(w, seat_formerly(s));
        WRITER_PUT(w, "\"");
    }
}

void presence_write_peers(writer *w, const seat *s)
{
    const room_member *me = s->peer->member;
    bool is_first = true;
    WRITER_PUT(w, "[");
    for (const room_member *m = NULL; (m = room_member_next(me, m)) != NULL;) {
        if (m == me)
            continue;
        const seat *other = seat_of_member(s, m);
        writer_put(w, is_first ? SLICE_LITERAL("{") : SLICE_LITERAL(",{"));
        write_peer(w, s, m);
        writer_put(w, other != NULL && other->wire == NULL ? SLICE_LITERAL(",\"away\":true}")
                                                           : SLICE_LITERAL(",\"away\":false}"));
        is_first = false;
    }
    WRITER_PUT(w, "]");
}

/* What a kind of news is called, and why somebody has left. */
static slice head_of(room_news_kind kind)
{
    switch (kind) {
    case ROOM_NEWS_JOINED:
        return SLICE_LITERAL("{\"type\":\"peer-joined\",\"seq\":");
    case ROOM_NEWS_CHANGED:
        return SLICE_LITERAL("{\"type\":\"peer-changed\",\"seq\":");
    case ROOM_NEWS_AWAY:
        return SLICE_LITERAL("{\"type\":\"peer-away\",\"seq\":");
    case ROOM_NEWS_BACK:
        return SLICE_LITERAL("{\"type\":\"peer-back\",\"seq\":");
    case ROOM_NEWS_LEFT:
    case ROOM_NEWS_LOST:
    case ROOM_NEWS_REPLACED:
        break;
    }
    return SLICE_LITERAL("{\"type\":\"peer-left\",\"seq\":");
}

static slice reason_of(room_news_kind kind)
{
    switch (kind) {
    case ROOM_NEWS_LEFT:
        return SLICE_LITERAL(",\"reason\":\"left\"");
    case ROOM_NEWS_LOST:
        return SLICE_LITERAL(",\"reason\":\"lost\"");
    case ROOM_NEWS_REPLACED:
        return SLICE_LITERAL(",\"reason\":\"replaced\"");
    default:
        return (slice){NULL, 0};
    }
}

void presence_tell(seat *s, const room_news *news)
{
    writer w = {0};
    WRITER_PUT(&w, ",");
    write_peer(&w, s, news->about);
    writer_put(&w, reason_of(news->kind));
    if (news->text.len > 0) {
        WRITER_PUT(&w, ",\"text\":");
        writer_put(&w, news->text);
    }
    seat_tell_written(s, head_of(news->kind), &w);
    writer_clear(&w);
}
