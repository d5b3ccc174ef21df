/* A NATS server that a test starts, stops, kills and has stand still. */
#ifndef HOMECALL_TESTS_SUPPORT_NATS_ENGINE_H
#define HOMECALL_TESTS_SUPPORT_NATS_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Zeroed = nothing was started. */
typedef struct nats_engine {
    char directory[64]; /* owned, with the files below */
    char config[128];   /* the path of its configuration */
    uint16_t port;      /* on 127.0.0.1; the same after it was started again */
    pid_t pid;          /* 0 = it does not run */
    char url[64];       /* nats://127.0.0.1:PORT */
} nats_engine;

/* Is there one on this machine? Without it tests are skipped. */
bool nats_engine_exists(void);

/* Start it with these lines of configuration, any free port, and wait until it listens. The test fails where
 * that fails. */
void nats_engine_start(nats_engine *e, const char *lines);

/* End it with this signal, and wait for that. Start it again, on the same port. */
void nats_engine_end(nats_engine *e, int signal);
void nats_engine_start_again(nats_engine *e);

/* Let it stand still, and go on. */
void nats_engine_pause(nats_engine *e);
void nats_engine_go_on(nats_engine *e);

/* A file with this text in its directory; the path is in a buffer that the next call uses again. */
const char *nats_engine_write(const nats_engine *e, const char *name, const char *text);

/* End it in any way, and remove its directory: for teardowns. */
void nats_engine_destroy(nats_engine *e);

#endif
