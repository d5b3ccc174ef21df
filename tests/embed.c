/* A program that embeds the server, built against an installed HomeCall Signal by tests/check_install.sh, as
 * C and as C++: two servers in one process, each on a port of its own, with the hooks of
 * homecall/signal_server.h. A client of its own joins a room that it may join, and one that it may not. */
#include <arpa/inet.h>
#include <homecall/signal_log.h>
#include <homecall/signal_server.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int log_event(int n); /* for -Wmissing-prototypes */

/* The server has a function of this name, too. */
int log_event(int n)
{
    return n + 1;
}

/* Only the thread that has the room writes this, and it is read when the server has ended. */
static char events[256];

static bool may_join(void *context, const signal_server_join *join, char refusal[SIGNAL_SERVER_REFUSAL_MAX])
{
    (void)context;
    if (join->room_len == 4 && memcmp(join->room, "open", 4) == 0)
        return strcmp(join->client_address, "127.0.0.1") == 0;
    snprintf(refusal, SIGNAL_SERVER_REFUSAL_MAX, "Ask first");
    return false;
}

static void on_room_event(void *context, const signal_server_room_event *event)
{
    static const char *const names[] = {"opened ", "joined ", "left ", "freed "};
    (void)context;
    strncat(events, names[event->kind], sizeof(events) - strlen(events) - 1);
}

static signal_server *start(void)
{
    signal_server_options options;
    signal_server_options_init(&options, sizeof(options));
    options.port = 0;
    options.workers = 1;
    options.may_join = may_join;
    options.on_room_event = on_room_event;
    signal_server *server;
    if (signal_server_create(&options, &server, NULL) != 0 || signal_server_start(server, NULL) != 0) {
        fprintf(stderr, "no server\n");
        exit(EXIT_FAILURE);
    }
    return server;
}

static void send_all(int fd, const char *bytes, size_t len)
{
    if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len) {
        perror("send");
        exit(EXIT_FAILURE);
    }
}

/* A text frame, masked by zeros (RFC 6455, 5.2). */
static void send_text(int fd, const char *text)
{
    char frame[128] = {(char)0x81, (char)(0x80 | strlen(text)), 0, 0, 0, 0};
    memcpy(frame + 6, text, strlen(text));
    send_all(fd, frame, 6 + strlen(text));
}

/* Read until `text` has come. */
static bool comes(int fd, const char *text)
{
    char input[2048] = "";
    size_t len = 0;
    while (len < sizeof(input) - 1 && strstr(input, text) == NULL) {
        ssize_t got = recv(fd, input + len, sizeof(input) - 1 - len, 0);
        if (got <= 0)
            return false;
        for (ssize_t i = 0; i < got; i++, len++)
            input[len] = input[len] == '\0' ? ' ' : input[len]; /* or strstr() would end there */
    }
    return strstr(input, text) != NULL;
}

static bool call(uint16_t port)
{
    static const char request[] = "GET /signal HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct sockaddr_in to;
    memset(&to, 0, sizeof(to));
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        return false;
    send_all(fd, request, sizeof(request) - 1);
    send_text(fd, "{\"type\":\"join\",\"room\":\"open\",\"user\":\"anna\"}");
    send_text(fd, "{\"type\":\"join\",\"room\":\"shut\",\"user\":\"anna\"}");
    bool is_refused = comes(fd, "{\"type\":\"error\",\"message\":\"Ask first\"}");
    close(fd);
    return is_refused;
}

int main(void)
{
    signal_log_options log;
    signal_log_options_init(&log, sizeof(log));
    log.file = "/dev/null";
    if (signal_log_start(&log) != 0)
        return EXIT_FAILURE;
    signal_server *first = start();
    signal_server *second = start();
    unsigned ports[2] = {signal_server_port(first), signal_server_port(second)};
    bool is_refused = call((uint16_t)ports[0]);
    signal_server_destroy(first);
    signal_server_destroy(second);
    signal_log_stop();
    bool is_told = strcmp(events, "opened joined left freed ") == 0;
    printf("embedded twice; %s, %s\n", is_refused ? "asked" : "not asked", events);
    return is_refused && is_told && log_event(1) == 2 && ports[0] != 0 && ports[1] != 0 &&
                   ports[0] != ports[1]
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}
