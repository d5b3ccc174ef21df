#include "dialect_2/unjoined.h"

#include "dialect/rules.h"
#include "dialect_2/answers.h"

#include <stdlib.h>

dialect_verdict unjoined_message(participant *p, const message_2 *m,
                                 dialect_verdict (*join)(participant *p, const message_2 *m))
{
    switch (m->type) {
    case MESSAGE_2_JOIN:
        return join(p, m);
    case MESSAGE_2_PING:
        answers_pong(p);
        return DIALECT_GO_ON;
    case MESSAGE_2_PONG:
        return DIALECT_GO_ON;
    default:
        answers_error(p, ANSWER_NOT_JOINED, false);
        return rules_count_invalid(p);
    }
}

bool unjoined_is_refused(participant *p, const message_2 *m)
{
    char *why_json;
    if (rules_is_allowed(p, ROOM_SPACE_ROOMS, m->room, m->user, &why_json))
        return false;
    if (why_json == NULL)
        answers_error(p, ANSWER_BUSY, false);
    else
        answers_not_allowed(p, slice_of_text(why_json));
    free(why_json);
    return true;
}

void unjoined_goodbye(participant *p, participant_end end, const char *text)
{
    const participant_host *host = participant_host_of(p);
    bool is_restart = end == PARTICIPANT_STOPS;
    answers_goaway(p, is_restart, host->id(p) * UINT64_C(2654435761) >> 8);
    host->close(p, is_restart ? PARTICIPANT_RESTARTS : end, text);
}
