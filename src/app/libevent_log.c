#include "app/libevent_log.h"

#include "base/log.h"
#include "homecall/signal_log.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

static log_level level_of(int severity)
{
    switch (severity) {
    case EVENT_LOG_DEBUG:
        return LOG_DEBUG;
    case EVENT_LOG_MSG:
        return LOG_INFO;
    case EVENT_LOG_WARN:
        return LOG_WARN;
    default:
        return LOG_ERROR;
    }
}

/* Messages with the severity of an error come before on_fatal() only. */
static void on_message(int severity, const char *message)
{
    LOG(level_of(severity), "libevent", "message", LOG_BYTES("text", slice_of_text(message)));
    if (severity == EVENT_LOG_ERR)
        fprintf(stderr, "homecall-signal: libevent can't go on: %s\n", message);
}

/* When this returns, libevent calls exit(). The last lines of the log, which tell the reason, must be written
 * before. */
static void on_fatal(int code)
{
    (void)code;
    signal_log_stop();
}

void libevent_log_start(void)
{
    event_set_log_callback(on_message);
    event_set_fatal_callback(on_fatal);
}

void libevent_log_stop(void)
{
    event_set_log_callback(NULL);
    event_set_fatal_callback(NULL);
}
