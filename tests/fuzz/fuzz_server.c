/* A whole server with its threads, to which a few clients say what the script tells. It is started once, and
 * lives as long as the target. Two users call each other all the time.
 *
 * What must hold after every input: Bert hears what Anna says, soon; every thread gets on with its work; what
 * the clients heard was what a server may say (wire.h). And now and then, when the clients have gone: only
 * the two are connected, and nothing is queued any more. The log is written as well, and read by nobody.
 *
 * Input: for each step a byte that says what and who, and what it needs. */
#include "wire.h"

#include "homecall/signal_log.h"
#include "homecall/signal_server.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 4, MAX_STEPS = 200, WAIT_MS = 10000, INPUTS_BETWEEN_CHECKS = 50 };

int LLVMFuzzerInitialize(int *argc, char ***argv);

typedef struct client {
    int fd; /* owned; -1 = there is none */
    wire_ear ear;
} client;

static signal_server *server;
static struct sockaddr_un path = {.sun_family = AF_UNIX};
static client anna = {.fd = -1}, bert = {.fd = -1};

static uint64_t now_ms(void)
{
    struct timespec now;
    REQUIRE(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- The clients ---- */

static void hang_up(client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    wire_forget(&c->ear);
}

static void say(client *c, const void *data, size_t len)
{
    if (c->fd >= 0)
        (void)!send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void say_frame(client *c, uint8_t first, const void *payload, size_t len)
{
    uint8_t frame[WIRE_MAX_HEADER + 1024];
    REQUIRE(len <= 1024);
    say(c, frame, wire_frame(frame, first, payload, len));
}

static void say_text(client *c, const char *text)
{
    say_frame(c, 0x81, text, strlen(text));
}

static void dial(client *c)
{
    hang_up(c);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(c->fd >= 0 && connect(c->fd, (struct sockaddr *)&path, sizeof(path)) == 0);
}

/* Hear what comes within this time, or until `texts` messages have been heard. False when that was the end.
 */
static bool hear(client *c, unsigned wait_ms, unsigned texts)
{
    char data[16 * 1024];
    uint64_t end_ms = now_ms() + wait_ms;
    while (c->fd >= 0 && c->ear.texts < texts) {
        uint64_t at_ms = now_ms();
        struct pollfd ready = {.fd = c->fd, .events = POLLIN};
        if (poll(&ready, 1, at_ms < end_ms ? (int)(end_ms - at_ms) : 0) != 1)
            return true;
        ssize_t got = recv(c->fd, data, sizeof(data), MSG_DONTWAIT);
        if (got <= 0)
            return false;
        wire_hear(&c->ear, data, (size_t)got);
        for (; c->ear.pings > 0; c->ear.pings--)
            say_frame(c, 0x8A, "", 0);
    }
    return true;
}

/* ---- The two users ---- */

static void check_users(void)
{
    static unsigned number;
    char said[64], expected[128];
    snprintf(said, sizeof(said), "{\"type\":\"candidate\",\"candidate\":\"%u\"}", ++number);
    snprintf(expected, sizeof(expected),
             "{\"type\":\"candidate\",\"room\":\"a room that nobody "
             "guesses\",\"from\":\"anna\",\"candidate\":\"%u\"}",
             number);
    unsigned before = bert.ear.texts;
    say_text(&anna, said);
    REQUIRE(hear(&bert, WAIT_MS, before + 1) && bert.ear.texts == before + 1);
    REQUIRE(strcmp(bert.ear.last, expected) == 0);
    REQUIRE(hear(&anna, 0, UINT32_MAX) && anna.ear.texts == 0);
    REQUIRE(signal_server_is_live(server));
}

static void start_user(client *c, const char *name)
{
    char text[128];
    dial(c);
    say(c, wire_request, sizeof(wire_request) - 1);
    while (!c->ear.is_upgraded)
        REQUIRE(hear(c, 1, UINT32_MAX));
    snprintf(text, sizeof(text),
             "{\"type\":\"join\",\"room\":\"a room that nobody guesses\",\"user\":\"%s\"}", name);
    say_text(c, text);
}

/* When the others have gone, the server must forget them in its time. */
static void check_rest(void)
{
    signal_server_stats stats;
    uint64_t end_ms = now_ms() + WAIT_MS;
    do {
        REQUIRE(now_ms() < end_ms);
        poll(NULL, 0, 5);
        signal_server_get_stats(server, &stats);
    } while (stats.connections != 2 || stats.joined != 2 || stats.rooms != 1 || stats.pending_bytes != 0 ||
             stats.pending_messages != 0);
}

/* ---- Start ---- */

static void remove_socket(void)
{
    signal_server_destroy(server);
    signal_log_stop();
    hang_up(&anna);
    hang_up(&bert);
    *strrchr(path.sun_path, '/') = '\0';
    (void)rmdir(path.sun_path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    char dir[] = "/tmp/homecall-fuzz-XXXXXX", host[64];
    REQUIRE(mkdtemp(dir) != NULL);
    snprintf(path.sun_path, sizeof(path.sun_path), "%s/s", dir);
    snprintf(host, sizeof(host), "unix:%s", path.sun_path);

    const signal_log_options log = {.size = sizeof(signal_log_options),
                                    .file = "/dev/null",
                                    .level = SIGNAL_LOG_DEBUG,
                                    .is_private = true};
    REQUIRE(signal_log_start(&log) == 0);
    signal_server_options options;
    signal_server_options_init(&options, sizeof(options));
    options.host = host;
    options.port = -1;
    options.workers = 2;
    options.turn_urls = "turn:turn.example.org";
    options.turn_secret = "a secret of some length";
    options.max_message_bytes = 2048;
    options.max_output_bytes = 64 * 1024;
    options.pending_ttl_ms = 300;
    options.probe_timeout_ms = 50;
    options.handshake_timeout_ms = 300;
    options.close_timeout_ms = 100;
    options.message_rate = 0; /* Anna says much in little time */
    REQUIRE(signal_server_create(&options, &server, NULL) == 0 && signal_server_start(server, NULL) == 0);
    start_user(&anna, "anna");
    start_user(&bert, "bert");
    signal_server_stats stats;
    do
        signal_server_get_stats(server, &stats);
    while (stats.joined != 2);
    check_users();
    return atexit(remove_socket);
}

/* ---- The script ---- */

static void play(client *clients, fuzz_input *in)
{
    static const char page[] = "GET /ice HTTP/1.1\r\nHost: test\r\n\r\n";
    uint8_t what = fuzz_take_byte(in);
    client *c = &clients[what >> 3 & 3];
    slice bytes;
    uint8_t how;
    char text[WIRE_MESSAGE_CAP];
    switch (what & 7) {
    case 0:
        how = fuzz_take_byte(in);
        dial(c);
        if ((how & 3) == 1)
            say(c, page, sizeof(page) - 1);
        else if ((how & 3) != 0)
            say(c, wire_request, sizeof(wire_request) - 1);
        break;
    case 1:
        bytes = fuzz_take_bytes(in);
        say(c, bytes.data, bytes.len);
        break;
    case 2:
    case 3:
        wire_message(text, fuzz_take_byte(in));
        say_text(c, text);
        break;
    case 4:
        how = fuzz_take_byte(in);
        bytes = fuzz_take_bytes(in);
        say_frame(c, how, bytes.data, bytes.len);
        break;
    case 5:
        if (c->fd >= 0 && (fuzz_take_byte(in) & 1) != 0)
            (void)shutdown(c->fd, SHUT_WR);
        else
            hang_up(c);
        break;
    case 6:
        (void)hear(c, fuzz_take_byte(in) % 4, c->ear.texts + 1);
        break;
    case 7:
        (void)hear(c, 0, UINT32_MAX);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned inputs;
    fuzz_input in = {data, size};
    client clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = (client){.fd = -1};
    for (int i = 0; in.left > 0 && i < MAX_STEPS; i++)
        play(clients, &in);
    for (int i = 0; i < CLIENTS; i++) {
        (void)hear(&clients[i], 0, UINT32_MAX);
        hang_up(&clients[i]);
    }
    check_users();
    if (++inputs % INPUTS_BETWEEN_CHECKS == 0)
        check_rest();
    return 0;
}
