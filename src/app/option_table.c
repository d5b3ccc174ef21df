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
static const char watching[] = "Watching it";
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
     "The addresses or host names to listen on, up to 16, separated by commas, IPv6 as ::1; unix:/run/x.sock "
     "is a Unix socket. A name means all its addresses. :: takes IPv4 as well, unless an IPv4 address stands "
     "beside it. What is not the loopback needs ALLOW_PLAINTEXT.",
     TARGET(server.host)},
    {listening, "WS_PORT", OPTION_PORT, AS_LIBRARY, 0, 65535, NULL, NULL,
     "The TCP port to listen on in plain text. 0 takes any free one; the log tells which.",
     TARGET(server.port)},
    {listening, "WSS_PORT", OPTION_PORT, AS_LIBRARY, 0, 65535, NULL, NULL,
     "The TCP port to listen on with TLS, on the same addresses.",
     TARGET(server.tls_port)},
    {listening, "BIND_RETRY", OPTION_DURATION, "5", 0, 5 * MINUTE, NULL, NULL,
     "How long a start tries again while an address, a path or the admin port is in use: a server that was "
     "killed keeps its own until it is gone.",
     TARGET(bind_retry_ms)},
    {listening, "TLS_CERT_FILE", OPTION_STRING, AS_LIBRARY, 0, 4095, NULL, NULL,
     "The certificate for WSS_PORT with the chain behind it (PEM). SIGHUP reads it anew.",
     TARGET(server.tls_cert_file)},
    {listening, "TLS_KEY_FILE", OPTION_STRING, AS_LIBRARY, 0, 4095, NULL, NULL,
     "Its key (PEM, without a passphrase). SIGHUP reads it anew.",
     TARGET(server.tls_key_file)},
    {listening, "ALLOW_PLAINTEXT", OPTION_SWITCH, "off", 0, 0, NULL, NULL,
     "With on, the server may listen without TLS where others than this machine can reach it: right in a network "
     "of containers behind a TLS proxy. Over the open network anybody could read the calls' codewords.",
     TARGET(allows_plaintext)},
    {listening, "ALLOWED_ORIGINS", OPTION_STRING, AS_LIBRARY, 0, KIB(64), NULL, NULL,
     "The web origins whose pages may connect, separated by commas, as in https://call.example; "
     "https://*.example allows every host under that domain, null and file:// the pages that have no host. "
     "Empty allows all.",
     TARGET(server.allowed_origins)},
    {listening, "REQUIRE_ORIGIN", OPTION_SWITCH, AS_LIBRARY, 0, 0, NULL, NULL,
     "With on, who names no origin is refused with 403 as well: all programs that are no browser and do not send one. "
     "It takes a list in ALLOWED_ORIGINS.",
     TARGET(server.require_origin)},

    {proxies, "TRUSTED_PROXIES", OPTION_STRING, AS_LIBRARY, 0, KIB(16), NULL, NULL,
     "The proxies whose word about a client's address is believed, separated by commas: addresses, networks "
     "as 10.0.0.0/8, unix for whoever comes through a Unix socket. From others, X-Forwarded-For and "
     "Forwarded are ignored.",
     TARGET(server.trusted_proxies)},
    {proxies, "PROXY_PROTOCOL", OPTION_SWITCH, AS_LIBRARY, 0, 0, NULL, NULL,
     "With on, each connection from a trusted proxy must begin with a header of the PROXY protocol "
     "(HAProxy's send-proxy or send-proxy-v2). Not with WSS_PORT.",
     TARGET(server.proxy_protocol)},

    {turn, "TURN_URLS", OPTION_STRING, AS_LIBRARY, 0, KIB(4), NULL, NULL,
     "The STUN and TURN servers that GET /ice tells pages of, separated by commas, as in "
     "turn:turn.example:3478?transport=udp. Empty: there is no /ice.",
     TARGET(server.turn_urls)},
    {turn, "TURN_SECRET", OPTION_STRING, AS_LIBRARY, 0, 512, NULL, NULL,
     "What coturn calls static-auth-secret (with use-auth-secret). Credentials are made with it for each "
     "page.",
     TARGET(server.turn_secret), .is_secret = true},
    {turn, "TURN_TTL", OPTION_DURATION, AS_LIBRARY, 60 * SECOND, 7 * 24 * HOUR, NULL, NULL,
     "How long such credentials are good. A call that is longer keeps its relay.",
     TARGET(server.turn_ttl_ms)},

    {watching, "ADMIN_HOST", OPTION_STRING, AS_LIBRARY, 1, 253, NULL, NULL,
     "The address or host name of the admin port, which serves metrics and health by HTTP to whoever reaches "
     "it: keep it inside. A name means all its addresses.",
     TARGET(server.admin_host)},
    {watching, "ADMIN_PORT", OPTION_PORT, "9888", 1, 65535, NULL, NULL,
     "Its TCP port, for /metrics, /stats, /livez, /readyz and /version. With off, or 0, there is none.",
     TARGET(server.admin_port)},
    {watching, "ADMIN_ALLOWED_HOSTS", OPTION_STRING, AS_LIBRARY, 0, KIB(4), NULL, NULL,
     "The host names and addresses by which the admin port may be asked, separated by commas, besides ADMIN_HOST, "
     "localhost and the address that was connected to. Others get 421, so that no page can read it by a name of its "
     "own (DNS rebinding). * allows all.",
     TARGET(server.admin_allowed_hosts)},

    {threads, "WORKERS", OPTION_INTEGER, AS_LIBRARY, 0, 256, NULL, "threads",
     "The threads that share the rooms. 0 is one for each processor.",
     TARGET(server.workers)},
    {threads, "ACCEPTOR_THREADS", OPTION_INTEGER, AS_LIBRARY, 1, 64, NULL, "threads",
     "The threads that accept connections and keep those that are in no room.",
     TARGET(server.acceptor_threads)},

    {connections, "MAX_CONNECTIONS", OPTION_INTEGER, AS_LIBRARY, 0, 10000000, NULL, "connections",
     "How many may be open. One more is answered with 503. 0 sets no limit besides the process's "
     "descriptors, of which 32 are kept for the admin port, certificates and the log: when the others are used up, "
     "newcomers wait.",
     TARGET(server.max_connections)},
    {connections, "MAX_CONNECTIONS_PER_ADDRESS", OPTION_INTEGER, AS_LIBRARY, 0, 10000000, NULL, "connections",
     "How many may be open from one client address, which of IPv6 is its /64. Behind a proxy that "
     "TRUSTED_PROXIES does not name all come from the proxy's. 0 sets no limit.",
     TARGET(server.max_connections_per_address)},
    {connections, "CONNECT_RATE", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "connections a second",
     "How many connections one address may open, on average. One more is answered with 503, with TLS not at "
     "all. 0 sets no limit.",
     TARGET(server.connect_rate)},
    {connections, "CONNECT_BURST", OPTION_INTEGER, AS_LIBRARY, 1, 1000000, NULL, "connections",
     "How many connections one address may open at once, over that rate.",
     TARGET(server.connect_burst)},
    {connections, "GUESS_RATE", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "rooms a minute",
     "How many rooms one address may join for the first time, on average, so that nobody finds a codeword by "
     "trying many. A further such join waits before it is handled, 0.1 s at first, then twice as long each time, "
     "up to 25 s. Codewords of 22 characters and more are not counted. 0 sets no limit.",
     TARGET(server.guess_rate)},
    {connections, "GUESS_BURST", OPTION_INTEGER, AS_LIBRARY, 1, 60000, NULL, "rooms",
     "How many rooms one address may join for the first time at once, over that rate.",
     TARGET(server.guess_burst)},
    {connections, "EXEMPT_ADDRESSES", OPTION_STRING, AS_LIBRARY, 0, KIB(16), NULL, NULL,
     "The clients that no limit of an address is for, separated by commas: addresses, networks as 192.0.2.0/24, "
     "as of a school that has one address for all, unix for whoever comes through a Unix socket. Those of this "
     "machine are tests, or a proxy of which TRUSTED_PROXIES does not tell: keep them in the list.",
     TARGET(server.exempt_addresses)},

    {rooms, "ROOM_CAPACITY", OPTION_INTEGER, AS_LIBRARY, 2, 64, NULL, "users",
     "How many users one room holds.",
     TARGET(server.room_capacity)},
    {rooms, "PENDING_TTL", OPTION_DURATION, AS_LIBRARY, 0, 24 * HOUR, NULL, NULL,
     "How long the queued signals of a user whose connection was lost are kept.",
     TARGET(server.pending_ttl_ms)},
    {rooms, "PENDING_MAX_MESSAGES", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "signals",
     "How many signals one room queues for a peer who is not there yet. 0 queues none.",
     TARGET(server.pending_max_messages)},
    {rooms, "PENDING_MAX_BYTES", OPTION_SIZE, AS_LIBRARY, 0, GIB(1), NULL, NULL,
     "How many bytes of signals one room queues. At most MAX_OUTPUT_BYTES.",
     TARGET(server.pending_max_bytes)},
    {rooms, "PENDING_MAX_TOTAL_BYTES", OPTION_SIZE, AS_LIBRARY, 0, GIB(1024), NULL, NULL,
     "How many bytes of signals all rooms queue together, up to half of MAX_BUFFERED_BYTES. The memory that "
     "they take is more: half a KiB for each room and signal besides.",
     TARGET(server.pending_max_total_bytes)},
    {rooms, "PENDING_MAX_BYTES_PER_ADDRESS", OPTION_SIZE, AS_LIBRARY, 0, GIB(1024), NULL, NULL,
     "How many bytes of signals the clients of one address may have queued, whether they are still connected or "
     "not. The last quarter of PENDING_MAX_TOTAL_BYTES is open only to addresses that have queued little. 0 sets "
     "no limit.",
     TARGET(server.pending_max_bytes_per_address)},
    {rooms, "RESUME_FOR", OPTION_DURATION, AS_LIBRARY, 0, HOUR, NULL, NULL,
     "How long a client of version 2 may come back to its session after its connection was lost. Meanwhile it "
     "keeps its place in the room, and counts as a connection. 0 ends the session with the connection.",
     TARGET(server.resume_for_ms)},
    {rooms, "OUTBOX_MAX_MESSAGES", OPTION_INTEGER, AS_LIBRARY, 1, 1000000, NULL, "messages",
     "How many messages are kept for a session of version 2 until its client acknowledges them.",
     TARGET(server.outbox_max_messages)},
    {rooms, "OUTBOX_MAX_BYTES", OPTION_SIZE, AS_LIBRARY, KIB(1), GIB(1), NULL, NULL,
     "How many bytes of them are kept. At most MAX_OUTPUT_BYTES. They count in PENDING_MAX_TOTAL_BYTES.",
     TARGET(server.outbox_max_bytes)},
    {rooms, "PROBE_TIMEOUT", OPTION_DURATION, AS_LIBRARY, 1, 5 * MINUTE, NULL, NULL,
     "How long the users in a full room have to show that they are alive before a newcomer takes a silent "
     "one's place.",
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
     "How much may wait for a client that does not read before it is dropped. At least twice "
     "MAX_MESSAGE_BYTES.",
     TARGET(server.max_output_bytes)},
    {messages, "MAX_BUFFERED_BYTES", OPTION_SIZE, AS_LIBRARY, MIB(8), GIB(1024), NULL, NULL,
     "How much all clients together may make the server keep: what waits for those that do not read, parts of "
     "messages, queued signals. Above it, those who hold the most are dropped. Holes in the heap come on top, up "
     "to two fifths of it under attacks. At least twice MAX_OUTPUT_BYTES.",
     TARGET(server.max_buffered_bytes)},
    {messages, "SEND_BUFFER_BYTES", OPTION_SIZE, AS_LIBRARY, 0, MIB(64), NULL, NULL,
     "The kernel's buffer for what a client has not read yet (SO_SNDBUF, which the kernel doubles). 0 leaves it "
     "to the kernel, which takes up to 4 MiB for each.",
     TARGET(server.send_buffer_bytes)},
    {messages, "MESSAGE_RATE", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "frames a second",
     "How many frames one connection may send a second, on average. 0 sets no limit.",
     TARGET(server.message_rate)},
    {messages, "MESSAGE_BURST", OPTION_INTEGER, AS_LIBRARY, 1, 1000000, NULL, "frames",
     "How many frames one connection may send at once, over that rate.",
     TARGET(server.message_burst)},
    {messages, "MESSAGE_RATE_PER_ADDRESS", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "frames a second",
     "How many frames all connections of one address may send a second, on average. What they have sent counts "
     "for a minute after the last of them has ended. 0 sets no limit.",
     TARGET(server.message_rate_per_address)},
    {messages, "MESSAGE_BURST_PER_ADDRESS", OPTION_INTEGER, AS_LIBRARY, 1, 10000000, NULL, "frames",
     "How many frames they may send at once, over that rate.",
     TARGET(server.message_burst_per_address)},
    {messages, "BYTE_RATE_PER_ADDRESS", OPTION_SIZE, AS_LIBRARY, 0, GIB(1), NULL, NULL,
     "How many bytes all connections of one address may send a second, on average. A call takes some 20 KB. 0 "
     "sets no limit.",
     TARGET(server.byte_rate_per_address)},
    {messages, "BYTE_BURST_PER_ADDRESS", OPTION_SIZE, AS_LIBRARY, KIB(64), GIB(2), NULL, NULL,
     "How many bytes they may send at once, over that rate.",
     TARGET(server.byte_burst_per_address)},
    {messages, "FAULT_BURST", OPTION_INTEGER, AS_LIBRARY, 0, 1000000, NULL, "messages",
     "How many invalid messages one connection may send at once; one a second is forgiven. 0 sets no limit.",
     TARGET(server.fault_burst)},

    {times, "PING_INTERVAL", OPTION_DURATION, AS_LIBRARY, 1, 1 * HOUR, NULL, NULL,
     "The time between two pings to a connection. Shorter than the idle timeout of every proxy in between.",
     TARGET(server.ping_interval_ms)},
    {times, "PONG_TIMEOUT", OPTION_DURATION, AS_LIBRARY, 1, 1 * HOUR, NULL, NULL,
     "How long a connection may show no sign of life after a ping before it is dropped.",
     TARGET(server.pong_timeout_ms)},
    {times, "HANDSHAKE_TIMEOUT", OPTION_DURATION, AS_LIBRARY, 1, 5 * MINUTE, NULL, NULL,
     "How long a client may take for its HTTP request.",
     TARGET(server.handshake_timeout_ms)},
    {times, "MESSAGE_TIMEOUT", OPTION_DURATION, AS_LIBRARY, 0, 1 * HOUR, NULL, NULL,
     "How long a client may take to send one message, once it has begun. 0 sets no limit.",
     TARGET(server.message_timeout_ms)},
    {times, "CLOSE_TIMEOUT", OPTION_DURATION, AS_LIBRARY, 1, 1 * MINUTE, NULL, NULL,
     "How long a client may take to close after it was told to.",
     TARGET(server.close_timeout_ms)},
    {times, "OVERLOAD_LAG_MS", OPTION_INTEGER, AS_LIBRARY, 0, 60000, NULL, "milliseconds",
     "When a thread has kept its clients waiting longer than this for a second, the server is overloaded: "
     "joins are closed with 1013 (try again later), and nobody is accepted until that is over. Calls go on. 0 is "
     "never.",
     TARGET(server.overload_lag_ms)},
    {times, "DRAIN_SECONDS", OPTION_DURATION, AS_LIBRARY, 0, 1 * HOUR, NULL, NULL,
     "Over how long a stop spreads its closes, so that clients do not all come back at once: first those in no "
     "call, at least 50 at a time. At most three quarters of SHUTDOWN_GRACE count.",
     TARGET(server.drain_ms)},
    {times, "SHUTDOWN_GRACE", OPTION_DURATION, AS_LIBRARY, 1, 1 * HOUR, NULL, NULL,
     "How long a stop may take. What is still open then is ended at once.",
     TARGET(server.shutdown_grace_ms)},

    {logging, "LOG_LEVEL", OPTION_CHOICE, "info", 0, 0, level_words, NULL,
     "The lowest level that is written.",
     TARGET(log.level)},
    {logging, "LOG_FORMAT", OPTION_CHOICE, "text", 0, 0, format_words, NULL,
     "Lines of text, or one JSON object a line.",
     TARGET(log.format)},
    {logging, "LOG_FILE", OPTION_STRING, "", 0, 4095, NULL, NULL,
     "The file to append to; SIGHUP opens it anew. Empty is the standard output.",
     TARGET(log.file)},
    {logging, "LOG_RATE_PER_ADDRESS", OPTION_INTEGER, AS_LIBRARY, 0, 100000, NULL, "lines a second",
     "How many lines are logged about the clients of one address, on average; ten seconds of that may come at "
     "once. Then the next line says how many were left out. 0 sets no limit.",
     TARGET(server.log_rate_per_address)},
    {logging, "LOG_PRIVACY", OPTION_SWITCH, "on", 0, 0, NULL, NULL,
     "With on, codewords and user names appear only as short tags that nobody can turn back. Off shows them.",
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
