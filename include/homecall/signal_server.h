/* Signal_Server: a WebSocket signaling server that a program can embed.
 *
 * A server has threads of its own: acceptors, which accept, shake hands and keep the connections that have
 * not joined, and workers, each with its share of the rooms. Nothing here touches the process: no signal
 * handler, no global but the logger (signal_log.h, optional). Several servers may run in one process.
 *
 *     signal_server_options options;
 *     signal_server_options_init(&options, sizeof(options));
 *     options.port = 0;
 *     signal_server *server;
 *     if (signal_server_create(&options, &server, NULL) == 0 && signal_server_start(server, NULL) == 0) {
 *         printf("ws://127.0.0.1:%u/signal\n", signal_server_port(server));
 *         …
 *         signal_server_stop(server);
 *     }
 *     signal_server_destroy(server);
 */
#ifndef HOMECALL_SIGNAL_SERVER_H
#define HOMECALL_SIGNAL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct signal_server signal_server;

/* ---- Hooks: the program decides about joins, and hears of rooms ----
 *
 * Both hooks are called on the thread of the worker that has the room. All calls for one room come from one
 * thread, in order; calls for other rooms may come from other workers at the same time. No lock of the server
 * is held.
 *
 * A hook must be quick, since everybody in the rooms of that worker waits for it: no files, no network, no
 * lock that another thread holds for long. Look at memory, or give the work to a thread of your own. What
 * must be asked elsewhere is asked before the client connects, for example when it gets its codeword.
 *
 * A hook may call signal_server_request_stop(), signal_server_get_stats(), signal_server_is_live() and the
 * functions that return a port or hosts, and no other function of the server. It must not end by an exception
 * or longjmp(). What its argument points to is lent for the call: copy what you keep. Names of rooms and
 * users are UTF-8 without a NUL at their end, and may hold one. The room is the key to the call: treat it as
 * a password, also in logs.
 *
 * A later version may add fields at the end of the two structs. A hook reads them by pointer, so a program
 * that was compiled before goes on. */

/* The same name in two spaces is two rooms. */
typedef enum signal_server_space {
    SIGNAL_SERVER_SPACE_ROOMS,   /* rooms of versions 1 and 2 of the protocol */
    SIGNAL_SERVER_SPACE_SESSIONS /* sessions of the session dialect */
} signal_server_space;

/* Somebody wants to join a room. */
typedef struct signal_server_join {
    const char *dialect; /* what the client speaks: "1", "session" or "2", as in the log */
    signal_server_space space;
    const char *room; /* the codeword, or the id of the session */
    size_t room_len;
    const char *user; /* the user's name, "" where the client gives none; any client may give any name */
    size_t user_len;
    const char
        *client_address; /* the client's address, with a NUL: "203.0.113.7", "2001:db8::7", or "unix" for
                            a Unix socket. Behind a proxy that trusted_proxies names, the client's own */
    uint64_t connection; /* the number that the log knows the connection by, as `conn` */
} signal_server_join;

/* How long the text may be that tells a client why it may not join, with its NUL. */
enum { SIGNAL_SERVER_REFUSAL_MAX = 128 };

/* How long the id of a member is, with its NUL. */
enum { SIGNAL_SERVER_PEER_ID_MAX = 12 };

typedef enum signal_server_room_event_kind {
    SIGNAL_SERVER_ROOM_OPENED, /* the first one is about to come in */
    SIGNAL_SERVER_ROOM_JOINED, /* a member is in the room */
    SIGNAL_SERVER_ROOM_LEFT,   /* a member is in the room no more */
    SIGNAL_SERVER_ROOM_FREED   /* nobody is in it, and nothing is queued in it any more */
} signal_server_room_event_kind;

typedef enum signal_server_leave_reason {
    SIGNAL_SERVER_LEAVE_NONE,    /* the event is not LEFT */
    SIGNAL_SERVER_LEAVE_LEFT,    /* it has said so, or joined another room */
    SIGNAL_SERVER_LEAVE_LOST,    /* its connection or its session has ended, or the server */
    SIGNAL_SERVER_LEAVE_REPLACED /* the same user or session has come again and taken its place */
} signal_server_leave_reason;

/* What has happened to a room. Each room has one OPENED and one FREED, and each member one JOINED and one
 * LEFT between them. A room may be opened again after that, also under the same name. */
typedef struct signal_server_room_event {
    signal_server_room_event_kind kind;
    signal_server_space space;
    const char *room;
    size_t room_len;
    uint32_t members; /* how many are in the room after the event */

    /* Of JOINED and LEFT; zero or empty otherwise. */
    const char *user;
    size_t user_len;
    char peer[SIGNAL_SERVER_PEER_ID_MAX]; /* the member: the same at LEFT as at JOINED, and no other member's.
                                             Clients of version 2 know it as the peer id */
    uint64_t connection; /* the number of its connection in the log; of a session of version 2,
                            the connection that it has, or had last; 0 = not known any more */
    signal_server_leave_reason reason;
} signal_server_room_event;

/* The options of a server. Strings and lists are borrowed until signal_server_create() returns.
 * signal_server_options_init() fills in the defaults; .env.example explains each option. */
typedef struct signal_server_options {
    /* The size of this struct as the program was compiled with it; signal_server_options_init() sets it. New
     * options are added at the end, so a program works with a newer library, too. */
    size_t size;

    /* Where to listen: up to 16 addresses, names or unix:PATH, separated by commas. A name means all its
     * addresses that this machine has. An address that is named twice, or covered by a wildcard, counts once.
     * :: includes IPv4, unless the list has an IPv4 address. */
    const char *host;
    int32_t port;              /* the TCP port; 0 = any free one, see signal_server_port(); -1 = none */
    int32_t tls_port;          /* the same with TLS; default -1 */
    const char *tls_cert_file; /* PEM: the certificate, followed by its chain */
    const char *tls_key_file;  /* PEM: the key of the certificate */

    /* Sockets that listen already, used without TLS instead of `host` and `port`: see below. With a count of
     * 0 the server opens its own. */
    const int *listen_fds;
    size_t listen_fd_count;
    bool owns_listen_paths;    /* remove the files of Unix sockets among them when the server stops */
    const int *listen_tls_fds; /* the same with TLS, instead of `host` and `tls_port`; set tls_port, too */
    size_t listen_tls_fd_count;
    const int *listen_admin_fds; /* the same for the admin port; set admin_port, too */
    size_t listen_admin_fd_count;

    /* Lists are separated by commas. */
    const char *allowed_origins; /* origins as people write them; read at the start; "" = all */
    bool require_origin;         /* also refuse requests without an origin; needs allowed_origins */
    const char *trusted_proxies; /* proxies whose X-Forwarded-For, Forwarded and PROXY headers are trusted:
                                    addresses, networks in CIDR notation, or unix for all Unix sockets */
    bool proxy_protocol;         /* connections from these proxies start with a PROXY header, version 1 or 2;
                                    not together with tls_port */
    const char *turn_urls;       /* stun:, turn: and turns: URLs that GET /ice returns; "" = no such page */
    const char *turn_secret;     /* what the TURN servers call static-auth-secret */
    uint32_t turn_ttl_ms;        /* how long credentials made with it are valid */
    const char *admin_host;      /* address or name for the admin port */
    uint16_t admin_port;         /* its TCP port, for metrics and health by HTTP; 0 = none, the default */
    const char *admin_allowed_hosts; /* what a request to it may have as Host, besides admin_host, the
                                        loopback and the address that is connected to; "*" = everything */

    uint32_t workers;          /* threads, each with a share of the rooms; 0 = one for each processor */
    uint32_t acceptor_threads; /* threads that accept; several share the port by SO_REUSEPORT. 0 = one; with
                                  TLS one for each four processors */

    uint32_t max_connections;             /* in the whole server; 0 = no limit */
    uint32_t max_connections_per_address; /* from one client address; 0 = no limit */
    uint32_t connect_rate;                /* new connections a second from one address; 0 = no limit */
    uint32_t connect_burst;               /* new connections at once, beyond that rate */
    uint32_t guess_rate;  /* new rooms a minute that one address may join without a wait; 0 = no limit */
    uint32_t guess_burst; /* new rooms at once, beyond that rate */
    const char *exempt_addresses; /* addresses and networks without limits for one address */

    uint32_t room_capacity;        /* users in one room */
    uint32_t pending_ttl_ms;       /* how long the queued signals of a lost connection are kept */
    uint32_t pending_max_messages; /* signals queued in one room */
    uint64_t pending_max_bytes;    /* bytes queued in one room */
    uint64_t
        pending_max_total_bytes; /* bytes queued in the whole server; at most half of max_buffered_bytes */
    uint64_t
        pending_max_bytes_per_address; /* bytes queued by the clients of one address; 0 = no limit. The last
                                          quarter of the total is for addresses with little queued */
    uint32_t resume_for_ms;       /* how long a session of version 2 is kept without a connection; 0 = not */
    uint32_t outbox_max_messages; /* messages kept for such a session until they are acknowledged */
    uint64_t outbox_max_bytes;    /* and their bytes */
    uint32_t probe_timeout_ms;    /* how long the members of a full room have to answer a ping */

    uint32_t max_message_bytes;      /* one WebSocket message */
    uint32_t max_name_bytes;         /* a room or user name after trimming */
    uint32_t max_request_head_bytes; /* the upgrade request with its headers */
    uint64_t max_output_bytes;       /* what may wait for one client that does not read */
    uint64_t max_buffered_bytes;     /* what all buffers and queues of the server may take together */
    uint32_t send_buffer_bytes; /* SO_SNDBUF of each connection, which the kernel doubles; 0 = the kernel's
                                   choice */
    uint32_t message_rate;      /* frames a second from one connection, on average; 0 = no limit */
    uint32_t message_burst;     /* frames at once, beyond that rate */
    uint32_t message_rate_per_address; /* the same for all connections of one address together */
    uint32_t message_burst_per_address;
    uint32_t byte_rate_per_address;  /* bytes a second from one address; 0 = no limit */
    uint32_t byte_burst_per_address; /* bytes at once, beyond that rate */
    uint32_t log_rate_per_address; /* log lines a second about one address, on average, and ten times as many
                                      at once; 0 = no limit */
    uint32_t fault_burst;          /* invalid messages at once, and one more each second; 0 = no limit */

    uint32_t ping_interval_ms;     /* between two pings to a connection */
    uint32_t pong_timeout_ms;      /* how long a connection may be silent after a ping */
    uint32_t message_timeout_ms;   /* from the first byte of a message to its last; 0 = no limit */
    uint32_t handshake_timeout_ms; /* for a complete upgrade request */
    uint32_t close_timeout_ms;     /* from our last byte to the end of TCP */
    uint32_t overload_lag_ms; /* if the turns of a thread take longer than this for a second, joins are closed
                                 with 1013 and nobody is accepted, until that is over; 0 = never */
    uint32_t
        drain_ms; /* over how long a stop spreads its closes; at most three quarters of shutdown_grace_ms */
    uint32_t shutdown_grace_ms; /* how long a stop may take, from the request */

    /* Called once after signal_server_request_stop(), when the last thread of the server has ended its work,
     * on that thread. A server never ends by itself. It must not call back into the server. May be NULL. */
    void (*on_stopped)(void *context);
    void *context; /* handed to on_stopped, may_join and on_room_event */

    /* May this client become a new member of that room? Called for each join, in every dialect: after the
     * wait that guess_rate may require, and before the room is checked for space. Not called for a join that
     * repeats the one before, nor when a session of version 2 is resumed;
     * but in a cluster it is called then, too.
     *
     * If it returns false, the client is told `refusal`: a text in UTF-8, "Not allowed" unless the hook
     * writes another one. Version 1 gets {"type":"error","message":TEXT}, version 2 an error with the code
     * "not-allowed", the session dialect an error and then close 1008. NULL = everybody may join. */
    bool (*may_join)(void *context, const signal_server_join *join, char refusal[SIGNAL_SERVER_REFUSAL_MAX]);
    /* Something has happened to a room. What is left when the threads of the server have ended is reported by
     * the thread that calls signal_server_destroy(). May be NULL. */
    void (*on_room_event)(void *context, const signal_server_room_event *event);

    /* Several servers that serve the same rooms together, over NATS. */
    const char *cluster_url;  /* comma-separated list of the servers of the engine, as nats://host:4222 or
                                 tls://host:4222; "" = this server is alone, the default */
    const char *cluster_name; /* which cluster, of those that share an engine: letters, digits, _ and - */
    const char *cluster_node; /* the name of this server there, for people; "" = that of the machine */
    const char *cluster_secret_file; /* has the secret of the cluster, 32 bytes at least; all have the same
                                      */
    const char *cluster_credentials_file; /* how we sign in: a file of NATS credentials; "" = none */
    const char *cluster_user;             /* or a user; "" = none */
    const char *cluster_password_file;    /* and its password */
    const char *cluster_ca_file;   /* PEM: who may have signed the engine's certificate; "" = those that
                                      the system trusts */
    const char *cluster_cert_file; /* PEM: our own certificate for the engine; "" = none */
    const char *cluster_key_file;  /* its key */
    uint32_t cluster_hold_ms;      /* clients whose room is elsewhere are closed when the engine was away for
                                      longer */
    /* Somebody opens a room while the engine is away: it is opened here and merged later, or it waits. */
    enum { SIGNAL_SERVER_ALONE_SERVE, SIGNAL_SERVER_ALONE_HOLD } cluster_without_engine;
} signal_server_options;

/* Fill in every default. `size` is sizeof(*options). */
void signal_server_options_init(signal_server_options *options, size_t size);

/* About listen_fds, and those for TLS and for the admin port. With sockets that listen already, as systemd
 * hands them over, one server can replace another without refusing a connection: a client that comes in
 * between waits in the kernel. signal_server_start() duplicates them. They stay the caller's, who keeps them
 * open until it has returned, and longer if the next server is to get them. With fewer sockets than acceptor
 * threads some threads share a socket, and all of these wake up for each connection. */

/* What has failed. */
typedef enum signal_server_fault_kind {
    SIGNAL_SERVER_FAULT_NONE,
    SIGNAL_SERVER_FAULT_STATE,       /* the server runs, or has run: a server is started once */
    SIGNAL_SERVER_FAULT_ORIGIN,      /* an entry of allowed_origins; `entry` says which and why */
    SIGNAL_SERVER_FAULT_TURN_URL,    /* the same of turn_urls */
    SIGNAL_SERVER_FAULT_CERTIFICATE, /* tls_cert_file or tls_key_file; `entry` says which and why */
    SIGNAL_SERVER_FAULT_HOST,        /* `host` as a whole: it has nothing to listen on, or too much */
    SIGNAL_SERVER_FAULT_ADDRESS,     /* `entry` of `host`, an address or a name, at `port` */
    SIGNAL_SERVER_FAULT_PATH,        /* `entry` of `host`, which is unix:PATH */
    SIGNAL_SERVER_FAULT_SOCKET,      /* one of `listen_fds`; `entry` is its number */
    SIGNAL_SERVER_FAULT_ADMIN,       /* the admin port; `entry` is `admin_host`, at `port` */
    SIGNAL_SERVER_FAULT_DESCRIPTORS, /* there are too few: `limit` is too low */
    SIGNAL_SERVER_FAULT_THREADS,     /* `entry` could not be started, as "worker-3" */
    SIGNAL_SERVER_FAULT_MEMORY,
    SIGNAL_SERVER_FAULT_OPTION,  /* of signal_server_create(); `entry` says which, and what is allowed */
    SIGNAL_SERVER_FAULT_CLUSTER, /* the engine of the cluster can't be used; `entry` says why */
} signal_server_fault_kind;

typedef struct signal_server_fault {
    signal_server_fault_kind kind;
    int error;         /* what has been returned */
    uint16_t port;     /* ADDRESS, ADMIN; else 0 */
    bool is_tls;       /* ADDRESS: it is the port for TLS */
    char entry[512];   /* what the kind says, or empty */
    const char *limit; /* DESCRIPTORS: the limit that is too low, as "RLIMIT_NOFILE"; a literal. Else NULL. */
    uint64_t limit_value; /* what it is; 0 = not known */
    uint64_t needed;      /* what it would have to be; 0 = not known */
} signal_server_fault;

/* Make a server that does not listen yet. 0 and the server in *out, owned by the caller; -EINVAL for an
 * option that is wrong; -ENOMEM; -EIO where the system gives no random bytes for a key. *fault says more,
 * unless `fault` is NULL: of a wrong option its name, its value and what is allowed; after a success it is
 * all zero.
 *
 * The options may be those of another version. An older program, whose struct is smaller, gets the defaults
 * for what it does not know. A newer one is refused if it sets what this library does not know. */
int signal_server_create(const signal_server_options *options, signal_server **out,
                         signal_server_fault *fault);

/* Listen and start the threads; returns when every one of them runs. 0, or -errno of what failed (-EADDRINUSE
 * when a port or a path is taken, -EADDRNOTAVAIL, -EACCES, -EINVAL, -EMFILE or -ENFILE for descriptors,
 * -EAGAIN for threads, -ENOMEM); nothing runs then, and it may be tried again. It does not wait for a port or
 * a path that is in use. A process that was killed keeps its own until the kernel has freed its memory, so a
 * program that replaces another one should try again for some seconds. *fault says more, unless `fault` is
 * NULL; after a success it is all zero. -EALREADY when the server runs or has run: a server is started once.
 */
int signal_server_start(signal_server *server, signal_server_fault *fault);

/* Does every thread get on with its work? False where one hangs or has failed, and then only a restart of the
 * process helps. Any thread, while the server is started. */
bool signal_server_is_live(const signal_server *server);

/* The TCP port that the server listens on; 0 before its start, and where it listens on no TCP port. Any
 * thread. */
uint16_t signal_server_port(const signal_server *server);

/* The same for TLS. */
uint16_t signal_server_tls_port(const signal_server *server);

/* Where the server listens: addresses without their ports, as far as this machine has those of a name, and
 * unix:PATH, with commas between. Empty before the start. Any thread, while the server is started, which
 * lends it. */
const char *signal_server_hosts(const signal_server *server);

/* The same for the admin port; empty without one. */
const char *signal_server_admin_hosts(const signal_server *server);

/* Read certificate and key again, for connections that come from now on. 0; or -EINVAL where they can't be
 * used, or -ENOMEM. On failure the log tells why, and the old ones stay in use. Any thread. */
int signal_server_reload_certificate(signal_server *server);

/* Start to stop, and return at once: no more connections are accepted, and every open one is closed with 1001
 * when what waits for it has been sent. With `now` every connection is ended at once, also during a stop that
 * was asked for before. Does nothing before a start. Any thread. */
void signal_server_request_stop(signal_server *server, bool now);

/* One socket that a server listens on. */
typedef enum signal_server_socket_kind {
    SIGNAL_SERVER_SOCKET_PLAIN,
    SIGNAL_SERVER_SOCKET_TLS,
    SIGNAL_SERVER_SOCKET_ADMIN
} signal_server_socket_kind;

typedef struct signal_server_socket {
    int fd; /* lent by the server */
    signal_server_socket_kind kind;
} signal_server_socket;

/* The sockets that the server listens on, so that they can be given to another process which is to follow.
 * Writes at most `cap` of them, and returns how many there are. They are valid until the server is told to
 * stop. Any thread, while the server is started and before a stop. */
size_t signal_server_get_sockets(const signal_server *server, signal_server_socket *out, size_t cap);

/* Stop, as signal_server_request_stop() without `now`, since another process serves the same sockets from now
 * on. What differs: the files of Unix sockets stay, since they belong to the other; requests that are under
 * way are still answered, and not with 503; and the admin port accepts nobody any more. Any thread, while the
 * server is started. */
void signal_server_retire(signal_server *server);

/* Stop, and wait for the end: at most shutdown_grace_ms from the first request to stop, and the moment that
 * joining the threads takes. A thread that hangs is waited for as long as it hangs. May be called before a
 * start, and twice. Not from a thread of the server, nor from on_stopped. */
void signal_server_stop(signal_server *server);

/* The same, for a program that waits no longer than this. 0 when every thread has ended. -ETIMEDOUT when one
 * still works or hangs: the server has not ended, and signal_server_destroy() would wait for it. Then the
 * program can wait once more, or end itself. */
int signal_server_stop_within(signal_server *server, uint32_t timeout_ms);

/* Stop it if it still runs, wait for its end as signal_server_stop() does, and free it. NULL is allowed. */
void signal_server_destroy(signal_server *server);

/* The numbers of one moment, summed over the threads. */
typedef struct signal_server_stats {
    uint64_t workers;           /* worker threads that there are */
    uint64_t connections;       /* open now, in any state */
    uint64_t joined;            /* those of them that are in a room */
    uint64_t rooms;             /* rooms now */
    uint64_t pending_messages;  /* signals queued now */
    uint64_t pending_bytes;     /* their bytes */
    uint64_t accepted;          /* connections accepted since the start */
    uint64_t refused;           /* connections answered with 503 since the start */
    uint64_t handed_over;       /* connections moved from one thread to another since the start */
    uint64_t signals_relayed;   /* sent to a peer at once */
    uint64_t signals_queued;    /* kept for a peer to come */
    uint64_t signals_delivered; /* sent to a peer from a queue */
    uint64_t signals_refused;   /* answered with an error */
    uint64_t signals_dropped;   /* taken out of a queue without being delivered */
} signal_server_stats;

/* Sum up the counters. The threads go on meanwhile, so the numbers may not be of exactly the same moment. Any
 * thread. */
void signal_server_get_stats(const signal_server *server, signal_server_stats *stats);

/* Write the state to the log (signal_log.h): a summary, and a line for each thread. No name of a room or a
 * user is in it. Any thread, while the server is started. */
void signal_server_log_state(const signal_server *server);

#ifdef __cplusplus
}
#endif

#endif
