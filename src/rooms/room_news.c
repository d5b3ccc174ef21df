#include "rooms/room_news.h"

#include <assert.h>

void room_news_tell(const room_member *about, room_news_kind kind, slice text)
{
    assert(about->peer != NULL && !about->is_waiting);
    const room_news news = {.kind = kind, .about = about, .text = text};
    const room_member *other;
    SLIST_FOREACH(other, &about->room->members, link)
    {
        const room_peer_face *face = other->peer->face;
        if (other != about && face->on_news != NULL)
            face->on_news(other->peer, &news);
    }
}
