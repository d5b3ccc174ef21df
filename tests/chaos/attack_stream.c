#include "chaos/attack_stream.h"

#include "support/tls_peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

bool attack_stream_open(attack_stream *s, uint16_t port, SSL_CTX *context, unsigned number)
{
    *s = (attack_stream){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct sockaddr_in from = {.sin_family = AF_INET,
                                     .sin_addr = {htonl(0x7F010000 + (number / 250 << 8) + number % 250)}};
    bool has_source =
        s->fd >= 0 && (number == 0 || bind(s->fd, (const struct sockaddr *)&from, sizeof(from)) == 0);
    if (!has_source || connect(s->fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
        if (s->fd >= 0)
            close(s->fd);
        s->fd = -1;
        return false;
    }
    if (context != NULL) {
        int flags = fcntl(s->fd, F_GETFL);
        assert_true(flags >= 0 && fcntl(s->fd, F_SETFL, flags | O_NONBLOCK) == 0);
        s->ssl = tls_peer_new(context, s->fd);
    }
    return true;
}

void attack_stream_close(attack_stream *s)
{
    SSL_free(s->ssl);
    close(s->fd);
    *s = (attack_stream){.fd = -1};
}

ssize_t attack_stream_send(attack_stream *s, const void *data, size_t len)
{
    if (s->ssl != NULL)
        return tls_peer_write(s->ssl, data, len);
    ssize_t sent = send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sent < 0 ? -errno : sent;
}

ssize_t attack_stream_receive(attack_stream *s, void *data, size_t len)
{
    if (s->ssl != NULL)
        return tls_peer_read(s->ssl, data, len);
    ssize_t got = recv(s->fd, data, len, MSG_DONTWAIT);
    return got < 0 ? -errno : got;
}

bool attack_stream_hello(attack_stream *s)
{
    char answer;
    ssize_t got = recv(s->fd, &answer, 1, MSG_DONTWAIT | MSG_PEEK);
    if (got >= 0 || errno != EAGAIN)
        return false;
    return tls_peer_shake_hands(s->ssl, NULL) == -EAGAIN;
}

void attack_stream_ask_for_keys(attack_stream *s)
{
    if (SSL_is_init_finished(s->ssl))
        (void)SSL_key_update(s->ssl, SSL_KEY_UPDATE_REQUESTED); /* it fails while the last one is under way */
    ERR_clear_error();
}
