/* Trying the engine before anybody relies on it: what is wrong is told in words. */
#include "cluster/courier.h"
#include "cluster/courier_subjects.h"
#include "cluster/engine_options.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>

static courier_answer refuse(char fault[COURIER_FAULT_CAP], const char *url, const char *why)
{
    snprintf(fault, COURIER_FAULT_CAP, "%.298s: %.480s", url, why);
    return COURIER_REFUSED;
}

static courier_answer tell_status(natsStatus status, const char *url, char fault[COURIER_FAULT_CAP])
{
    natsStatus last = NATS_OK;
    const char *text = nats_GetLastError(&last);
    char whole[COURIER_FAULT_CAP / 2];
    switch (status) {
    case NATS_CONNECTION_AUTH_FAILED:
        return refuse(
            fault, url,
            "it does not let us in: the user, the password or the credentials are wrong, or it wants "
            "some and there are none (CLUSTER_USER, CLUSTER_PASSWORD_FILE, CLUSTER_CREDENTIALS_FILE)");
    case NATS_SECURE_CONNECTION_REQUIRED:
        return refuse(fault, url, "it wants TLS: tls:// is wanted in CLUSTER_URL");
    case NATS_SECURE_CONNECTION_WANTED:
        return refuse(fault, url, "it has no TLS; nats:// would do, on a network that nobody else reads");
    case NATS_NO_SERVER:
    case NATS_TIMEOUT:
    case NATS_IO_ERROR:
    case NATS_CONNECTION_CLOSED:
    case NATS_STALE_CONNECTION:
        snprintf(fault, COURIER_FAULT_CAP, "%.298s: nobody answers there", url);
        return COURIER_AWAY;
    default:
        snprintf(whole, sizeof(whole), "%s%s%s", natsStatus_GetText(status), text == NULL ? "" : ": ",
                 text == NULL ? "" : text);
        return refuse(fault, url, whole);
    }
}

/* Something that means nothing to other nodes, for each of the subjects. */
static natsStatus say_nothing(natsConnection *connection, const courier_subjects *subjects,
                              const node_id *self)
{
    uint8_t packet[256];
    room_key key;
    randombytes_buf(&key, sizeof(key));
    const wire_message messages[COURIER_SUBJECTS] = {
        [NODE_TO_MEMBERS] = {.type = WIRE_BYE, .from = *self},
        [NODE_TO_CLAIMS] = {.type = WIRE_ANNOUNCE, .from = *self, .keys = {(const char *)&key, sizeof(key)}},
        [NODE_TO_NODE] = {.type = WIRE_BYE, .from = *self},
    };
    natsStatus status = NATS_OK;
    for (int i = 0; i < COURIER_SUBJECTS && status == NATS_OK; i++) {
        wire_write(&messages[i], packet);
        status = natsConnection_Publish(connection, subjects->texts[i], packet, (int)wire_size(&messages[i]));
    }
    return status;
}

static void ignore(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                   void *context)
{
    (void)connection;
    (void)subscription;
    (void)context;
    natsMsg_Destroy(message);
}

static void ignore_error(natsConnection *connection, natsSubscription *subscription, natsStatus status,
                         void *context)
{
    (void)connection;
    (void)subscription;
    (void)status;
    (void)context;
}

/* May we hear and say all that we need? */
static courier_answer try_subjects(natsConnection *connection, const cluster_settings *settings,
                                   const char *url, char fault[COURIER_FAULT_CAP])
{
    node_id self;
    courier_subjects subjects;
    natsSubscription *subscriptions[COURIER_SUBJECTS] = {NULL};
    randombytes_buf(&self, sizeof(self));
    courier_subjects_make(&subjects, settings->texts[CLUSTER_NAME], &self);
    natsStatus status = NATS_OK;
    for (int i = 0; i < COURIER_SUBJECTS && status == NATS_OK; i++)
        status = natsConnection_Subscribe(&subscriptions[i], connection, subjects.texts[i], ignore, NULL);
    if (status == NATS_OK)
        status = say_nothing(connection, &subjects, &self);
    if (status == NATS_OK)
        status = natsConnection_FlushTimeout(connection, ENGINE_CONNECT_MS);
    const char *text = NULL;
    natsStatus last = natsConnection_GetLastError(connection, &text);
    char why[COURIER_FAULT_CAP];
    snprintf(why, sizeof(why), "we may not say and hear all under hc.%.64s.>: %.100s",
             settings->texts[CLUSTER_NAME], text == NULL ? "" : text);
    for (int i = 0; i < COURIER_SUBJECTS; i++)
        natsSubscription_Destroy(subscriptions[i]);
    if (last == NATS_NOT_PERMITTED)
        return refuse(fault, url, why);
    return status == NATS_OK ? COURIER_OK : tell_status(status, url, fault);
}

static courier_answer try_connection(natsConnection *connection, const cluster_settings *settings,
                                     const char *url, size_t payload, char fault[COURIER_FAULT_CAP])
{
    int64_t max_payload = natsConnection_GetMaxPayload(connection);
    char why[COURIER_FAULT_CAP / 2];
    snprintf(
        why, sizeof(why),
        "its max_payload is %lld, and must be %zu at least: MAX_MESSAGE_BYTES and 8 KiB; raise it there, or "
        "lower MAX_MESSAGE_BYTES",
        (long long)max_payload, payload);
    return max_payload < (int64_t)payload ? refuse(fault, url, why)
                                          : try_subjects(connection, settings, url, fault);
}

static courier_answer try_one(const cluster_settings *settings, const cluster_secrets *secrets,
                              const char *url, size_t payload, char fault[COURIER_FAULT_CAP])
{
    natsOptions *options = NULL;
    natsConnection *connection = NULL;
    natsStatus status = engine_options_make(settings, secrets, slice_of_text(url), &options);
    if (status == NATS_OK)
        status = natsOptions_SetErrorHandler(options, ignore_error, NULL); /* or it is written to stderr */
    if (status == NATS_OK)
        status = natsConnection_Connect(&connection, options);
    courier_answer answer = status == NATS_OK ? try_connection(connection, settings, url, payload, fault)
                                              : tell_status(status, url, fault);
    natsConnection_Destroy(connection);
    natsOptions_Destroy(options);
    return answer;
}

courier_answer courier_try(const cluster_settings *settings, const cluster_secrets *secrets, size_t payload,
                           char fault[COURIER_FAULT_CAP])
{
    slice list = slice_of_text(settings->texts[CLUSTER_URL]);
    courier_answer all = COURIER_AWAY;
    char url[CLUSTER_URL_CAP];
    sigset_t every;
    sigset_t before;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before); /* for the threads that the library starts */
    snprintf(fault, COURIER_FAULT_CAP, "there is no entry");
    while (all != COURIER_REFUSED && cluster_settings_take_url(&list, url)) {
        courier_answer one = try_one(settings, secrets, url, payload, fault);
        if (one != COURIER_AWAY)
            all = one;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return all;
}
