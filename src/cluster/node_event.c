#include "cluster/node_event.h"

#include "base/wipe.h"

void node_event_free(node_event *event)
{
    wipe_and_free(event, sizeof(*event) + event->len);
}

void node_events_clear(node_events *events)
{
    while (!STAILQ_EMPTY(events)) {
        node_event *first = STAILQ_FIRST(events);
        STAILQ_REMOVE_HEAD(events, link);
        node_event_free(first);
    }
}
