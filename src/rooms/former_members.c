#include "rooms/former_members.h"

#include "base/wipe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool is_user(const former_member *former, slice user)
{
    return slice_equals((slice){former->user, former->len}, user);
}

static void release(former_member *former)
{
    wipe_and_free(former, sizeof(*former) + former->len);
}

/* Forget all behind the first `most`. */
static void shorten(former_members *list, unsigned most)
{
    former_member **end = &SLIST_FIRST(list);
    while (*end != NULL && most-- > 0)
        end = &SLIST_NEXT(*end, link);
    while (*end != NULL) {
        former_member *next = SLIST_NEXT(*end, link);
        release(*end);
        *end = next;
    }
}

void former_members_add(former_members *list, slice user, uint64_t now_ms, unsigned most)
{
    assert(most >= 1);
    former_members_remove(list, user);
    former_member *former = malloc(sizeof(*former) + user.len);
    if (former == NULL)
        return;
    former->lost_ms = now_ms;
    former->len = user.len;
    memcpy(former->user, user.data, user.len);
    SLIST_INSERT_HEAD(list, former, link);
    shorten(list, most);
}

bool former_members_has(const former_members *list, slice user, uint64_t now_ms, uint64_t ttl_ms)
{
    const former_member *former;
    SLIST_FOREACH(former, list, link)
    {
        if (is_user(former, user))
            return now_ms <= former->lost_ms + ttl_ms;
    }
    return false;
}

void former_members_remove(former_members *list, slice user)
{
    former_member **at = &SLIST_FIRST(list);
    while (*at != NULL && !is_user(*at, user))
        at = &SLIST_NEXT(*at, link);
    former_member *found = *at;
    if (found == NULL)
        return;
    *at = SLIST_NEXT(found, link);
    release(found);
}

void former_members_clear(former_members *list)
{
    shorten(list, 0);
}
