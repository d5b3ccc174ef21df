#include "app/option_table.h"

#include "app/app_config.h"
#include "base/ascii.h"

#include <assert.h>

#define TARGET(field) .offset = offsetof(app_config, field), .size = sizeof(((app_config *)NULL)->field)

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* In the order of signal_log_level and signal_log_format. */
static const char *const level_words[] = {"debug", "info", "warn", "error", "off", NULL};
static const char *const format_words[] = {"text", "json", NULL};
static const char *const alone_words[] = {"serve", "hold", NULL}; /* signal_server_options */

/* The default is the one of signal_server_options_init(). */
#define AS_LIBRARY NULL

static const char listening[] = "Listening";
static const char proxies[] = "Behind a proxy";
static const char turn[] = "STUN and TURN";
static const char watching[] = "Monitoring";
static const char threads[] = "Threads";
static const char connections[] = "Connections";
static const char rooms[] = "Rooms and their queues";
static const char messages[] = "Messages";
static const char times[] = "Times";
static const char logging[] = "Log";
static const char cluster[] = "Several servers";

/* A row is one option: what it is, its help, and the field that gets its value. */
/* clang-format off */
static const option table[] = {
    {listening, "WS_HOST", OPTION_STRING, AS_LIBRARY, 1, KIB(4), NULL, NULL,
     "The addresses or host names to listen on, up to 16, separated by commas; IPv6 as ::1; "
     "unix:/run/x.sock is a Unix socket. A name means all its addresses. :: includes IPv4, unless the "
     "list has an IPv4 address. Addresses other than the loopback need ALLOW_PLAINTEXT.",
     TARGET(server.host)},
    {listening, "WS_PORT", OPTION_PORT, AS_LIBRARY, 0, 65535, NULL, NULL,
     "The TCP port for WebSockets without TLS. 0 takes any free port; the log shows which.",
     TARGET(server.port)},
    {listening, "WSS_PORT", OPTION_PORT, AS_LIBRARY, 0, 65535, NULL, NULL,
     "The TCP port for WebSockets with TLS, on the same addresses.",
     TARGET(server.tls_port)},
    {listening, "BIND_RETRY", OPTION_DURATION, "5", 0, 5 * MINUTE, NULL, NULL,
     "How long to try again at the start while an address, a path or the admin port is in use. A server "
     "that was killed holds its own for a moment.",
     TARGET(bind_retry_ms)},
    {listening, "TLS_CERT_FILE", OPTION_STRING, AS_LIBRARY, 0, 4095, NULL, NULL,
     "The certificate for WSS_PORT, followed by its chain (PEM). SIGHUP reads it again.",
     TARGET(server.tls_cert_file)},
    {listening, "TLS_KEY_FILE", OPTION_STRING, AS_LIBRARY, 0, 4095, NULL, NULL,
     "The key of that certificate (PEM, without a passphrase). SIGHUP reads it again.",
     TARGET(server.tls_key_file)},
    {listening, "ALLOW_PLAINTEXT", OPTION_SWITCH, "off", 0, 0, NULL, NULL,
     "With on, the server may listen without TLS on addresses that other machines can reach. This is "
     "right in a network of containers behind a TLS proxy. On the open network, anybody could read the "
     "codewords.",
     TARGET(allows_plaintext)},
    {listening, "ALLOWED_ORIGINS", OPTION_STRING, AS_LIBRARY, 0, KIB(64), NULL, NULL,
     "The web origins whose pages may connect, separated by commas, such as https://call.example. "
     "https://*.example allows every host under that domain, null and file:// allow pages that have no "
     "host. Empty allows all.",
     TARGET(server.allowed_origins)},
    {listening, "REQUIRE_ORIGIN", OPTION_SWITCH, AS_LIBRARY, 0, 0, NULL, NULL,
     "With on, a client that sends no origin is refused with 403. These are programs other than "
     "browsers. Needs ALLOWED_ORIGINS.",
     TARGET(server.require_origin)},

    {proxies, "TRUSTED_PROXIES", OPTION_STRING, AS_LIBRARY, 0, KIB(16), NULL, NULL,
     "The proxies that are trusted to report the address of a client, separated by commas: addresses, "
     "networks such as 10.0.0.0/8, or unix for all connections through a Unix socket. X-Forwarded-For "
     "and Forwarded from others are ignored.",
     TARGET(server.trusted_proxies)},
    {proxies, "PROXY_PROTOCOL", OPTION_SWITCH, AS_LIBRARY, 0, 0, NULL, NULL,
     "With on, each connection from a trusted proxy must begin with a header of the PROXY protocol "
     "(send-proxy or send-proxy-v2 of HAProxy). Not together with WSS_PORT.",
     TARGET(server.proxy_protocol)},

    {turn, "TURN_URLS", OPTION_STRING, AS_LIBRARY, 0, KIB(4), NULL, NULL,
     "The STUN and TURN servers that GET /ice returns, separated by commas, such as "
     "turn:turn.example:3478?transport=udp. If empty, there is no /ice.",
     TARGET(server.turn_urls)},
    {turn, "TURN_SECRET", OPTION_STRING, AS_LIBRARY, 0, 512, NULL, NULL,
     "The static-auth-secret of coturn (with use-auth-secret). The server makes credentials with it.",
     TARGET(server.turn_secret), .is_secret = true},
    {turn, "TURN_TTL", OPTION_DURATION, AS_LIBRARY, 60 * SECOND, 7 * 24 * HOUR, NULL, NULL,
     "How long these credentials are valid. A call that takes longer keeps its relay.",
     TARGET(server.turn_ttl_ms)},

    {watching, "ADMIN_HOST", OPTION_STRING, AS_LIBRARY, 1, 253, NULL, NULL,
     "The address or host name of the admin port. It serves metrics and health by HTTP to everybody who "
     "can reach it, so keep it internal. A name means all its addresses.",
     TARGET(server.admin_host)},
    {watching, "ADMIN_PORT", OPTION_PORT, "9888", 1, 65535, NULL, NULL,
     "The TCP port for /metrics, /stats, /livez, /readyz and /version. off or 0 turns it off.",
     TARGET(server.admin_port)},
    {watching, "ADMIN_ALLOWED_HOSTS", OPTION_STRING, AS_LIBRARY, 0, KIB(4), NULL, NULL,
     "The host names and addresses that a request to the admin port may have in its Host header, "
     "separated by commas. ADMIN_HOST, localhost and the address that was connected to are always "
     "allowed. Others get 421. This protects against DNS rebinding. * allows all.",
     TARGET(server.admin_allowed_hosts)},

    {threads, "WORKERS", OPTION_INTEGER, AS_LIBRARY, 0, 256, NULL, "threads",
     "The number of threads that share the rooms. 0 means one for each processor.",
     TARGET(server.workers)},
    {threads, "ACCEPTOR_THREADS", OPTION_INTEGER, AS_LIBRARY, 0, 64, NULL, "threads",
     "The number of threads that accept connections, do TLS handshakes, and keep connections that are in no "
     "room. 0 means one; with TLS one for each four processors.",
     TARGET(server.acceptor_threads)},

    {connections, "MAX_CONNECTIONS", OPTION_INTEGER, AS_LIBRARY, 0, 10000000, NULL, "connections",
     "How many connections may be open. One more is answered with 503. 0 sets no limit other than the "
     "descriptors of the process. 32 of these are reserved for the admin port, certificates and the log; "
     "when the others are used, new connections wait.",
     TARGET(server.max_connections)},
    {connections, "MAX_CONNECTIONS_PER_ADDRESS", OPTION_INTEGER, AS_LIBRARY, 0, 10000000, NULL, "connections",
     "How many connections may be open from one client address (for IPv6, one /64). Behind a proxy that "
     "TRUSTED_PROXIES does not name, all clients have the address of the proxy. 0 sets no limit.",
     TARGET(server.max_connections_per_address)},
    {connections, "CONNECT_RATE", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "connections a second",
     "How many connections one address may open on average. One more is answered with 503, or with TLS "
     "closed without an answer. 0 sets no limit.",
     TARGET(server.connect_rate)},
    {connections, "CONNECT_BURST", OPTION_INTEGER, AS_LIBRARY, 1, 1000000, NULL, "connections",
     "How many connections one address may open at once, beyond that rate.",
     TARGET(server.connect_burst)},
    {connections, "GUESS_RATE", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "rooms a minute",
     "How many rooms one address may join for the first time on average. This protects against guessing "
     "codewords. Each further join waits before it is handled: 0.1 s, then twice as long each time, up "
     "to 25 s. Codewords with 22 or more characters do not count. 0 sets no limit.",
     TARGET(server.guess_rate)},
    {connections, "GUESS_BURST", OPTION_INTEGER, AS_LIBRARY, 1, 60000, NULL, "rooms",
     "How many rooms one address may join for the first time at once, beyond that rate.",
     TARGET(server.guess_burst)},
    {connections, "EXEMPT_ADDRESSES", OPTION_STRING, AS_LIBRARY, 0, KIB(16), NULL, NULL,
     "The clients without limits for one address, separated by commas: addresses, networks such as "
     "192.0.2.0/24 (a school behind one address), or unix for all connections through a Unix socket. "
     "Keep the addresses of this machine in the list: they are tests, or a proxy that TRUSTED_PROXIES "
     "does not name.",
     TARGET(server.exempt_addresses)},

    {rooms, "ROOM_CAPACITY", OPTION_INTEGER, AS_LIBRARY, 2, 64, NULL, "users",
     "How many users one room holds.",
     TARGET(server.room_capacity)},
    {rooms, "PENDING_TTL", OPTION_DURATION, AS_LIBRARY, 0, 24 * HOUR, NULL, NULL,
     "How long queued signals are kept after the connection of their sender was lost.",
     TARGET(server.pending_ttl_ms)},
    {rooms, "PENDING_MAX_MESSAGES", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "signals",
     "How many signals one room queues while no other user is there. 0 queues none.",
     TARGET(server.pending_max_messages)},
    {rooms, "PENDING_MAX_BYTES", OPTION_SIZE, AS_LIBRARY, 0, GIB(1), NULL, NULL,
     "How many bytes of signals one room queues. At most MAX_OUTPUT_BYTES.",
     TARGET(server.pending_max_bytes)},
    {rooms, "PENDING_MAX_TOTAL_BYTES", OPTION_SIZE, AS_LIBRARY, 0, GIB(1024), NULL, NULL,
     "How many bytes of signals all rooms together queue, up to half of MAX_BUFFERED_BYTES. Each room "
     "and each signal takes half a KiB more. Each worker may keep 64 KiB of this for its own rooms before "
     "it needs them, all workers together a 64th, so a signal may be refused that much earlier.",
     TARGET(server.pending_max_total_bytes)},
    {rooms, "PENDING_MAX_BYTES_PER_ADDRESS", OPTION_SIZE, AS_LIBRARY, 0, GIB(1024), NULL, NULL,
     "How many bytes of signals the clients of one address may have queued, also after their connections "
     "have ended. The last quarter of PENDING_MAX_TOTAL_BYTES is reserved for addresses that have little "
     "queued. 0 sets no limit.",
     TARGET(server.pending_max_bytes_per_address)},
    {rooms, "RESUME_FOR", OPTION_DURATION, AS_LIBRARY, 0, HOUR, NULL, NULL,
     "How long a client of version 2 may resume its session after its connection was lost. Until then it "
     "keeps its place in the room and counts as a connection. 0 ends the session with the connection.",
     TARGET(server.resume_for_ms)},
    {rooms, "OUTBOX_MAX_MESSAGES", OPTION_INTEGER, AS_LIBRARY, 1, 1000000, NULL, "messages",
     "How many messages are kept for a session of version 2 until its client acknowledges them.",
     TARGET(server.outbox_max_messages)},
    {rooms, "OUTBOX_MAX_BYTES", OPTION_SIZE, AS_LIBRARY, KIB(1), GIB(1), NULL, NULL,
     "How many bytes of such messages are kept. At most MAX_OUTPUT_BYTES. They count in "
     "PENDING_MAX_TOTAL_BYTES.",
     TARGET(server.outbox_max_bytes)},
    {rooms, "PROBE_TIMEOUT", OPTION_DURATION, AS_LIBRARY, 1, 5 * MINUTE, NULL, NULL,
     "When a newcomer waits before a full room: how long the users in it have to answer a ping. Then a "
     "silent one loses its place.",
     TARGET(server.probe_timeout_ms)},

    {messages, "MAX_MESSAGE_BYTES", OPTION_SIZE, AS_LIBRARY, KIB(1), MIB(32), NULL, NULL,
     "The longest message that a client may send.",
     TARGET(server.max_message_bytes)},
    {messages, "MAX_NAME_BYTES", OPTION_SIZE, AS_LIBRARY, 16, KIB(4), NULL, NULL,
     "The longest name of a room or a user.",
     TARGET(server.max_name_bytes)},
    {messages, "MAX_REQUEST_HEAD_BYTES", OPTION_SIZE, AS_LIBRARY, KIB(1), KIB(64), NULL, NULL,
     "The longest head of an HTTP request.",
     TARGET(server.max_request_head_bytes)},
    {messages, "MAX_OUTPUT_BYTES", OPTION_SIZE, AS_LIBRARY, KIB(64), GIB(1), NULL, NULL,
     "How much output may wait for a client that does not read. Beyond it the client is dropped. At "
     "least twice MAX_MESSAGE_BYTES.",
     TARGET(server.max_output_bytes)},
    {messages, "MAX_BUFFERED_BYTES", OPTION_SIZE, AS_LIBRARY, MIB(8), GIB(1024), NULL, NULL,
     "How much memory the buffers and queues of all clients may take together. Beyond it, the clients "
     "with the largest buffers are dropped. Fragmentation of the heap comes on top, up to two fifths "
     "under attacks. At least twice MAX_OUTPUT_BYTES.",
     TARGET(server.max_buffered_bytes)},
    {messages, "SEND_BUFFER_BYTES", OPTION_SIZE, AS_LIBRARY, 0, MIB(64), NULL, NULL,
     "The kernel's send buffer for each connection (SO_SNDBUF, which the kernel doubles). 0 leaves the "
     "size to the kernel, which takes up to 4 MiB for each.",
     TARGET(server.send_buffer_bytes)},
    {messages, "MESSAGE_RATE", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "frames a second",
     "How many frames one connection may send on average. 0 sets no limit.",
     TARGET(server.message_rate)},
    {messages, "MESSAGE_BURST", OPTION_INTEGER, AS_LIBRARY, 1, 1000000, NULL, "frames",
     "How many frames one connection may send at once, beyond that rate.",
     TARGET(server.message_burst)},
    {messages, "MESSAGE_RATE_PER_ADDRESS", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "frames a second",
     "How many frames all connections of one address together may send on average. The count is kept for "
     "a minute after the last of them has ended. 0 sets no limit.",
     TARGET(server.message_rate_per_address)},
    {messages, "MESSAGE_BURST_PER_ADDRESS", OPTION_INTEGER, AS_LIBRARY, 1, 10000000, NULL, "frames",
     "How many frames they may send at once, beyond that rate.",
     TARGET(server.message_burst_per_address)},
    {messages, "BYTE_RATE_PER_ADDRESS", OPTION_SIZE, AS_LIBRARY, 0, GIB(1), NULL, NULL,
     "How many bytes a second all connections of one address together may send on average. A call takes "
     "about 20 KB. 0 sets no limit.",
     TARGET(server.byte_rate_per_address)},
    {messages, "BYTE_BURST_PER_ADDRESS", OPTION_SIZE, AS_LIBRARY, KIB(64), GIB(2), NULL, NULL,
     "How many bytes they may send at once, beyond that rate.",
     TARGET(server.byte_burst_per_address)},
    {messages, "FAULT_BURST", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "messages",
     "How many invalid messages one connection may send at once, and one more each second. 0 sets no "
     "limit.",
     TARGET(server.fault_burst)},

    {times, "PING_INTERVAL", OPTION_DURATION, AS_LIBRARY, 1, 1 * HOUR, NULL, NULL,
     "The time between two pings to a connection. It must be shorter than the idle timeout of every "
     "proxy in between.",
     TARGET(server.ping_interval_ms)},
    {times, "PONG_TIMEOUT", OPTION_DURATION, AS_LIBRARY, 1, 1 * HOUR, NULL, NULL,
     "How long a connection may be silent after a ping before it is dropped.",
     TARGET(server.pong_timeout_ms)},
    {times, "HANDSHAKE_TIMEOUT", OPTION_DURATION, AS_LIBRARY, 1, 5 * MINUTE, NULL, NULL,
     "How long a client may take for its HTTP request.",
     TARGET(server.handshake_timeout_ms)},
    {times, "MESSAGE_TIMEOUT", OPTION_DURATION, AS_LIBRARY, 0, 1 * HOUR, NULL, NULL,
     "How long a client may take for one message, from its first byte to its last. 0 sets no limit.",
     TARGET(server.message_timeout_ms)},
    {times, "CLOSE_TIMEOUT", OPTION_DURATION, AS_LIBRARY, 1, 1 * MINUTE, NULL, NULL,
     "How long a client may take to end TCP after the closing handshake.",
     TARGET(server.close_timeout_ms)},
    {times, "OVERLOAD_LAG_MS", OPTION_INTEGER, AS_LIBRARY, 0, 60000, NULL, "milliseconds",
     "If the turns of a thread take longer than this for a second, the server is overloaded. Until that "
     "is over, joins are closed with 1013 (try again later) and no connections are accepted. Calls go "
     "on. 0 turns this off.",
     TARGET(server.overload_lag_ms)},
    {times, "DRAIN_SECONDS", OPTION_DURATION, AS_LIBRARY, 0, 1 * HOUR, NULL, NULL,
     "Over how long a stop spreads the closes of connections, so that clients do not all come back at "
     "once. Clients without a call come first, at least 50 at a time. At most three quarters of "
     "SHUTDOWN_GRACE.",
     TARGET(server.drain_ms)},
    {times, "SHUTDOWN_GRACE", OPTION_DURATION, AS_LIBRARY, 1, 1 * HOUR, NULL, NULL,
     "How long a stop may take. Connections that are still open then are ended at once.",
     TARGET(server.shutdown_grace_ms)},

    {logging, "LOG_LEVEL", OPTION_CHOICE, "info", 0, 0, level_words, NULL,
     "The lowest level that is logged.",
     TARGET(log.level)},
    {logging, "LOG_FORMAT", OPTION_CHOICE, "text", 0, 0, format_words, NULL,
     "Lines of text, or one JSON object in each line.",
     TARGET(log.format)},
    {logging, "LOG_FILE", OPTION_STRING, "", 0, 4095, NULL, NULL,
     "The file to append to. SIGHUP opens it again. Empty means standard output.",
     TARGET(log.file)},
    {logging, "LOG_RATE_PER_ADDRESS", OPTION_INTEGER, AS_LIBRARY, 0, 100000, NULL, "lines a second",
     "How many lines about the clients of one address are logged on average; ten seconds of that at "
     "once. The next line says how many were left out. 0 sets no limit.",
     TARGET(server.log_rate_per_address)},
    {logging, "LOG_PRIVACY", OPTION_SWITCH, "on", 0, 0, NULL, NULL,
     "With on, codewords and user names appear only as short tags that cannot be turned back. off shows "
     "the names.",
     TARGET(log.is_private)},

    {cluster, "CLUSTER_URL", OPTION_STRING, AS_LIBRARY, 0, KIB(4), NULL, NULL,
     "The NATS servers over which several servers serve the same rooms, up to 16, separated by commas: "
     "nats://host:4222, or with TLS tls://host:4222, which all but the loopback needs (or ALLOW_PLAINTEXT). "
     "Empty: this server is alone.",
     TARGET(server.cluster_url)},
    {cluster, "CLUSTER_NAME", OPTION_STRING, AS_LIBRARY, 1, 64, NULL, NULL,
     "Which cluster, of those that share the NATS servers: letters, digits, _ and -.",
     TARGET(server.cluster_name)},
    {cluster, "CLUSTER_NODE", OPTION_STRING, AS_LIBRARY, 0, 64, NULL, NULL,
     "The name of this server in logs and numbers of the others. Empty: the name of the machine.",
     TARGET(server.cluster_node)},
    {cluster, "CLUSTER_SECRET_FILE", OPTION_STRING, AS_LIBRARY, 0, 4095, NULL, NULL,
     "A file with the secret that all servers of the cluster share, 32 bytes at least: no codeword can be found "
     "without it from what NATS passes on as the key of a room.",
     TARGET(server.cluster_secret_file)},
    {cluster, "CLUSTER_CREDENTIALS_FILE", OPTION_STRING, AS_LIBRARY, 0, 4095, NULL, NULL,
     "A file of NATS credentials to sign in with.",
     TARGET(server.cluster_credentials_file)},
    {cluster, "CLUSTER_USER", OPTION_STRING, AS_LIBRARY, 0, 255, NULL, NULL,
     "Or the user to sign in as.",
     TARGET(server.cluster_user)},
    {cluster, "CLUSTER_PASSWORD_FILE", OPTION_STRING, AS_LIBRARY, 0, 4095, NULL, NULL,
     "A file with the password of CLUSTER_USER.",
     TARGET(server.cluster_password_file)},
    {cluster, "CLUSTER_CA_FILE", OPTION_STRING, AS_LIBRARY, 0, 4095, NULL, NULL,
     "The authorities that may have signed the certificates of the NATS servers (PEM). Empty: those that the "
     "system trusts.",
     TARGET(server.cluster_ca_file)},
    {cluster, "CLUSTER_CERT_FILE", OPTION_STRING, AS_LIBRARY, 0, 4095, NULL, NULL,
     "Our own certificate, where the NATS servers want one (PEM).",
     TARGET(server.cluster_cert_file)},
    {cluster, "CLUSTER_KEY_FILE", OPTION_STRING, AS_LIBRARY, 0, 4095, NULL, NULL,
     "Its key (PEM, without a passphrase).",
     TARGET(server.cluster_key_file)},
    {cluster, "CLUSTER_HOLD", OPTION_DURATION, AS_LIBRARY, SECOND, HOUR, NULL, NULL,
     "How long clients whose room is on another server are kept while no NATS server can be reached.",
     TARGET(server.cluster_hold_ms)},
    {cluster, "CLUSTER_WITHOUT_ENGINE", OPTION_CHOICE, AS_LIBRARY, 0, 0, alone_words, NULL,
     "What a client finds that opens a room while no NATS server can be reached: with serve the room is opened "
     "here, and merged with those of others later; with hold the client waits.",
     TARGET(server.cluster_without_engine)},
};
/* clang-format on */

enum { ROWS = sizeof(table) / sizeof(table[0]) };
static_assert((int)ROWS <= (int)OPTIONS_MAX, "app_config has a text for each");

const option *option_table_get(void)
{
    return table;
}

size_t option_table_count(void)
{
    return ROWS;
}

const option *option_table_find(slice name)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (slice_equals(name, slice_of_text(table[i].name)))
            return &table[i];
    }
    return NULL;
}

const option *option_table_find_target(size_t offset)
{
    const option *o = table;
    while (o->offset != offset)
        o++;
    return o;
}

enum { LONGEST_NAME = 40 };

static size_t min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be changed, added or removed to turn one text into the other; upper and lower case
 * are the same (Levenshtein distance). One row of the usual matrix is kept at a time. */
static size_t distance(slice a, slice b)
{
    size_t row[LONGEST_NAME + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t changed = diagonal + (ascii_lower(a.data[i - 1]) != ascii_lower(b.data[j - 1]));
            diagonal = row[j];
            row[j] = min_of(changed, min_of(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.len];
}

const option *option_table_find_near(slice key)
{
    if (key.len > LONGEST_NAME)
        return NULL;
    const option *nearest = NULL;
    size_t least = min_of(3, key.len / 3) + 1;
    for (size_t i = 0; i < ROWS; i++) {
        size_t far = distance(key, slice_of_text(table[i].name));
        if (far < least) {
            least = far;
            nearest = &table[i];
        }
    }
    return nearest;
}
