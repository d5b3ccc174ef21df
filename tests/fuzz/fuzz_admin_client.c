/* Any bytes as the answer of an admin port, which come in pieces and end with the connection. The client
 * takes an answer that is a whole one, says of another why it is none, and its health check says one line.
 *
 * A thread stands for the server, since the client blocks. Input: how long the pieces are, then the answer.
 */
#include "fuzz.h"

#include "admin/admin_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);

static int listener;
static uint16_t port;
static sem_t asked;
static const uint8_t *answer;
static size_t answer_len, piece_len;

/* Read the request up to its end, so that nothing unread resets the connection. */
static void read_request(int fd)
{
    char request[256];
    size_t len = 0;
    while (len < 4 || memcmp(request + len - 4, "\r\n\r\n", 4) != 0) {
        ssize_t got = read(fd, request + len, 1);
        REQUIRE(got == 1 && ++len < sizeof(request));
    }
}

static void *serve(void *unused)
{
    (void)unused;
    for (;;) {
        REQUIRE(sem_wait(&asked) == 0);
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        REQUIRE(fd >= 0);
        read_request(fd);
        for (size_t sent = 0; sent < answer_len;) {
            size_t len = answer_len - sent < piece_len ? answer_len - sent : piece_len;
            ssize_t taken = send(fd, answer + sent, len, MSG_NOSIGNAL);
            if (taken <= 0)
                break;
            sent += (size_t)taken;
        }
        close(fd);
    }
    return NULL;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(at);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(listener >= 0 && bind(listener, (struct sockaddr *)&at, len) == 0 && listen(listener, 16) == 0);
    REQUIRE(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
    port = ntohs(at.sin_port);
    pthread_t thread;
    REQUIRE(sem_init(&asked, 0, 0) == 0 && pthread_create(&thread, NULL, serve, NULL) == 0);
    return pthread_detach(thread);
}

static void get(slice all)
{
    admin_answer got;
    REQUIRE(sem_post(&asked) == 0);
    int error = admin_client_get("127.0.0.1", port, "/stats", 5000, &got);
    if (error != 0) {
        REQUIRE(error == -EPROTO || error == -ECONNRESET);
        REQUIRE(all.len > 0 || error == -ECONNRESET);
        return;
    }
    REQUIRE(got.len <= all.len && got.body[got.len] == '\0' && got.status >= 100 && got.status <= 999);
    REQUIRE(memcmp(got.body, all.data + all.len - got.len, got.len) == 0);
    free(got.body);
}

static void check_health(void)
{
    char *said;
    size_t len;
    FILE *reports = open_memstream(&said, &len);
    REQUIRE(reports != NULL && sem_post(&asked) == 0);
    int code = admin_healthcheck("127.0.0.1", port, reports);
    REQUIRE(fclose(reports) == 0);
    REQUIRE(code == EXIT_SUCCESS || code == EXIT_FAILURE);
    REQUIRE(len > 0 && said[len - 1] == '\n' && memchr(said, '\n', len) == said + len - 1);
    for (size_t i = 0; i + 1 < len; i++)
        REQUIRE((unsigned char)said[i] >= 0x20 && said[i] != 0x7F);
    free(said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input in = {data, size};
    piece_len = 1 + (size_t)fuzz_take_byte(&in) * 8;
    answer = in.data;
    answer_len = in.left;
    get((slice){(const char *)answer, answer_len});
    check_health();
    return 0;
}
