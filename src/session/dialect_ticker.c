#include "session/dialect_ticker.h"

#include <errno.h>
#include <stddef.h>

static uint64_t next_due_ms(const net_ticker *ticker, uint64_t now_ms)
{
    (void)now_ms;
    const dialect_ticker *t =
        (const dialect_ticker *)(const void *)((const char *)ticker - offsetof(dialect_ticker, ticker));
    uint64_t first_ms = UINT64_MAX;
    for (const dialect_keeper *k = t->keepers; k->dialect != NULL; k++) {
        uint64_t due_ms = k->dialect->next_due_ms(k->kept);
        first_ms = due_ms < first_ms ? due_ms : first_ms;
    }
    return first_ms;
}

static void on_due(net_ticker *ticker, uint64_t now_ms)
{
    const dialect_ticker *t =
        (const dialect_ticker *)(void *)((char *)ticker - offsetof(dialect_ticker, ticker));
    for (const dialect_keeper *k = t->keepers; k->dialect != NULL; k++)
        k->dialect->tick(k->kept, now_ms);
}

void dialect_ticker_deinit(dialect_ticker *t)
{
    for (dialect_keeper *k = t->keepers; k->dialect != NULL; k++) {
        k->dialect->close_hall(k->kept);
        t->hall->kept[k->dialect->slot] = NULL;
        k->dialect = NULL;
    }
}

int dialect_ticker_init(dialect_ticker *t, net_loop *loop, const dialects *list, dialect_hall *hall)
{
    *t = (dialect_ticker){
        .ticker = {.next_due_ms = next_due_ms, .on_due = on_due},
        .hall = hall,
    };
    int count = 0;
    for (int i = 0; i < DIALECT_COUNT; i++) {
        const dialect *d = &list->all[i];
        if (d->open_hall == NULL)
            continue;
        hall->kept[d->slot] = d->open_hall(d, hall);
        if (hall->kept[d->slot] == NULL) {
            dialect_ticker_deinit(t);
            return -ENOMEM;
        }
        t->keepers[count++] = (dialect_keeper){d, hall->kept[d->slot]};
    }
    net_loop_add_ticker(loop, &t->ticker);
    return 0;
}
