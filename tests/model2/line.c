#include "model2/line.h"

#include "support/run_fail.h"
#include "support/wire.h"

#include <stdio.h>

static const char request_2[] = "GET /signal HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                "Sec-WebSocket-Protocol: homecall.2\r\n\r\n";

/* ---- Ends that are silent ---- */

enum { MAX_ABANDONED = 256 };
static int abandoned[MAX_ABANDONED];
static int abandoned_count;

static void abandon(int fd)
{
    if (abandoned_count == MAX_ABANDONED)
        line_forget_all();
    abandoned[abandoned_count++] = fd;
}

int line_abandoned(void)
{
    return abandoned_count;
}

void line_forget_all(void)
{
    while (abandoned_count > 0)
        close(abandoned[--abandoned_count]);
}

/* ---- Beginning and end ---- */

static void put(line *l, const void *data, size_t len)
{
    if (l->fd < 0)
        return;
    REQUIRE(l->up_len + len <= sizeof(l->up));
    memcpy(l->up + l->up_len, data, len);
    l->up_len += len;
}

int line_dial(line *l, bool asks_version_2)
{
    int fds[2];
    REQUIRE(l->fd < 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    l->fd = fds[0];
    l->asks_version_2 = asks_version_2;
    l->is_upgraded = l->was_cut = l->is_silent = false;
    l->up_len = l->down_len = 0;
    l->up_left = l->down_left = SIZE_MAX;
    if (asks_version_2)
        put(l, request_2, sizeof(request_2) - 1);
    else
        put(l, wire_request, sizeof(wire_request) - 1);
    return fds[1];
}

void line_close(line *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

void line_abandon(line *l)
{
    if (l->fd >= 0)
        abandon(l->fd);
    l->fd = -1;
}

static void put_frame(line *l, uint8_t first, const void *payload, size_t len)
{
    uint8_t frame[WIRE_MAX_HEADER + 1024];
    REQUIRE(len <= 1024);
    put(l, frame, wire_frame(frame, first, payload, len));
}

void line_say(line *l, const char *text)
{
    put_frame(l, WIRE_TEXT, text, strlen(text));
}

/* ---- Breaking ---- */

void line_cut(line *l, size_t up, size_t down, line_break how)
{
    if (l->fd < 0 || l->is_silent)
        return;
    l->was_cut = true;
    l->up_left = up;
    l->down_left = down;
    l->how = how;
}

/* One direction has come to its end. */
static void break_now(line *l)
{
    bool server_hears = l->how == LINE_BREAK_BOTH || l->how == LINE_BREAK_SERVER;
    bool client_hears = l->how == LINE_BREAK_BOTH || l->how == LINE_BREAK_CLIENT;
    l->is_silent = true;
    if (server_hears)
        (void)shutdown(l->fd, SHUT_RDWR);
    if (!client_hears)
        return;
    if (server_hears)
        line_close(l);
    else
        line_abandon(l);
    l->events->on_lost(l->context, 0);
}

/* ---- Up ---- */

void line_carry_up(line *l, size_t most)
{
    if (l->fd < 0 || l->is_silent)
        return;
    size_t len = l->up_len < most ? l->up_len : most;
    bool breaks = l->up_left != SIZE_MAX && len >= l->up_left && l->up_len > l->up_left;
    if (len > l->up_left)
        len = l->up_left;
    if (len > 0) {
        ssize_t sent = send(l->fd, l->up, len, MSG_NOSIGNAL);
        if (sent > 0) { /* or the server has closed it, which line_carry_down() will see */
            memmove(l->up, l->up + sent, l->up_len - (size_t)sent);
            l->up_len -= (size_t)sent;
            l->carried += (size_t)sent;
            if (l->up_left != SIZE_MAX)
                l->up_left -= (size_t)sent;
        }
    }
    if (breaks)
        break_now(l);
}

/* ---- Down ---- */

static size_t take_head(line *l)
{
    const uint8_t *end = memmem(l->down, l->down_len, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t len = (size_t)(end + 4 - l->down);
    if (memcmp(l->down, "HTTP/1.1 503", 12) == 0) { /* the server stops */
        line_close(l);
        l->events->on_lost(l->context, 0);
        return 0;
    }
    REQUIRE(memcmp(l->down, "HTTP/1.1 101", 12) == 0);
    bool names_it = memmem(l->down, len, "homecall.2", 10) != NULL;
    REQUIRE(names_it == l->asks_version_2);
    l->is_upgraded = true;
    return len;
}

/* The length of the frame at the beginning; 0 = not all of it is here. */
static size_t frame_len(const line *l, size_t *header_len)
{
    if (l->down_len < 2)
        return 0;
    size_t len = l->down[1];
    REQUIRE(len <= 126); /* no mask, and nothing that long */
    *header_len = 2;
    if (len == 126) {
        if (l->down_len < 4)
            return 0;
        len = (size_t)(l->down[2] << 8 | l->down[3]);
        *header_len = 4;
    }
    return l->down_len < *header_len + len ? 0 : *header_len + len;
}

static void handle_frame(line *l, uint8_t first, const uint8_t *payload, size_t len)
{
    char text[4096];
    REQUIRE(len < sizeof(text));
    memcpy(text, payload, len);
    text[len] = '\0';
    if (first == WIRE_TEXT)
        l->events->on_text(l->context, text);
    else if (first == WIRE_PING)
        put_frame(l, WIRE_PONG, payload, len);
    else if (first == WIRE_CLOSE) {
        int code = len < 2 ? 1005 : payload[0] << 8 | payload[1];
        line_close(l);
        l->events->on_lost(l->context, code);
    } else
        REQUIRE(first == WIRE_PONG);
}

/* Handle what is whole. The client may have closed this line and opened another one in the meantime. */
static void handle(line *l)
{
    size_t len, header_len = 0;
    while (l->fd >= 0) {
        if (!l->is_upgraded) {
            len = take_head(l);
            if (len == 0)
                return;
            l->down_len -= len;
            memmove(l->down, l->down + len, l->down_len);
            l->events->on_open(l->context);
            continue;
        }
        len = frame_len(l, &header_len);
        if (len == 0)
            return;
        uint8_t frame[4096];
        REQUIRE(len <= sizeof(frame));
        memcpy(frame, l->down, len);
        l->down_len -= len;
        memmove(l->down, l->down + len, l->down_len);
        handle_frame(l, frame[0], frame + header_len, len - header_len);
    }
}

void line_carry_down(line *l, size_t most)
{
    if (l->fd < 0 || l->is_silent)
        return;
    size_t space = sizeof(l->down) - l->down_len;
    if (space > most)
        space = most;
    bool may_break = l->down_left != SIZE_MAX && space > l->down_left;
    if (may_break)
        space = l->down_left;
    ssize_t got = space == 0 ? -1 : recv(l->fd, l->down + l->down_len, space, 0);
    if (got == 0 || (got < 0 && space > 0 && errno != EAGAIN)) {
        line_close(l);
        l->events->on_lost(l->context, 0);
        return;
    }
    if (got > 0) {
        l->down_len += (size_t)got;
        l->carried += (size_t)got;
        if (l->down_left != SIZE_MAX)
            l->down_left -= (size_t)got;
        int fd = l->fd;
        handle(l);
        if (l->fd != fd)
            return;
    }
    if (may_break && l->down_left == 0) {
        uint8_t byte;
        if (recv(l->fd, &byte, 1, MSG_PEEK) > 0)
            break_now(l);
    }
}
