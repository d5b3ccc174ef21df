/* One entry of a list of places to listen on, as the option WS_HOST has it.
 *
 *     127.0.0.1   ::1   fe80::1%eth0   call.example   unix:/run/homecall.sock
 *
 * An entry is an IP address, a host name, or the path of a Unix socket; the port is an option of its own.
 * Pure: whether a name stands for an address, and whether a path can be bound, is found out by whoever
 * listens there. What can never work is refused here, so that a configuration can be checked without
 * starting a server. */
#ifndef HOMECALL_BASE_LISTEN_ENTRY_H
#define HOMECALL_BASE_LISTEN_ENTRY_H

#include "base/slice.h"

/* How many a list takes: enough for every address of a machine, and a bound for what it costs. */
enum { LISTEN_ENTRIES_MAX = 16 };

/* The longest entry, with its NUL: a host name has at most 253 bytes, and a dot may stand behind it. */
enum { LISTEN_ENTRY_CAP = 256 };

typedef enum listen_entry_kind {
    LISTEN_ENTRY_ADDRESS, /* an IP address, perhaps with the zone of a link-local one */
    LISTEN_ENTRY_NAME,    /* a host name */
    LISTEN_ENTRY_PATH,    /* unix:PATH; a relative path starts at the working directory */
} listen_entry_kind;

/* A value: it owns nothing and is copied freely. */
typedef struct listen_entry {
    listen_entry_kind kind;
    char text[LISTEN_ENTRY_CAP]; /* as it was written, with its NUL */
} listen_entry;

/* Read an entry without spaces around it. NULL; or, with *out unchanged, what is wrong with it: a literal
 * that can follow the entry and a colon. */
const char *listen_entry_parse(slice text, listen_entry *out);

/* The same where nothing but an IP address or a host name will do. */
const char *listen_entry_parse_host(slice text, listen_entry *out);

/* The path of a PATH, borrowed from the entry; NULL for the other kinds. */
const char *listen_entry_path(const listen_entry *entry);

/* Has a list with commas an entry that is a path, or one that is none? What can't be read counts for nothing.
 */
bool listen_entry_list_has_path(slice list);
bool listen_entry_list_has_host(slice list);

/* Can nobody but this machine reach a socket there? Of names only localhost is known to stand for that. */
bool listen_entry_is_loopback(const listen_entry *entry);

#endif
