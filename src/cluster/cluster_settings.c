#include "cluster/cluster_settings.h"

#include "base/address.h"
#include "base/ascii.h"
#include "base/listen_entry.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A secret file is short; who names another one by mistake is told so. */
enum { FILE_MAX = 4096 };

static bool fail(cluster_fault *fault, cluster_setting where, slice value, const char *reason)
{
    *fault = (cluster_fault){.where = where, .value = value, .reason = reason};
    return false;
}

static bool is_set(const cluster_settings *s, cluster_setting which)
{
    return s->texts[which][0] != '\0';
}

/* ---- Servers of the engine ---- */

static bool take_scheme(slice *url, const char *scheme)
{
    size_t len = strlen(scheme);
    if (url->len < len || memcmp(url->data, scheme, len) != 0)
        return false;
    url->data += len;
    url->len -= len;
    return true;
}

/* Split "host", "host:port" or "[IPv6]:port". NULL, or what is wrong. */
static const char *split(slice text, slice *host, uint16_t *port)
{
    slice rest = text;
    *port = 4222;
    if (text.len > 0 && text.data[0] == '[') {
        *host = slice_take_until(&rest, ']');
        host->data++;
        host->len--;
        if (rest.len > 0 && rest.data[0] == ':') {
            rest.data++;
            rest.len--;
        } else if (rest.len > 0) {
            return "IPv6 and its port are wanted as in [2001:db8::1]:4222";
        }
    } else {
        *host = slice_take_until(&rest, ':');
    }
    if (rest.len > 0 && (!address_parse_port(rest, port) || *port == 0))
        return "the port is no number from 1 to 65535";
    return NULL;
}

/* What is wrong with an entry; NULL when nothing is, and then whether it can be read on the way. */
static const char *find_fault_of_url(slice url, bool *is_open)
{
    slice rest = url;
    bool has_tls = take_scheme(&rest, "tls://");
    slice host = {0};
    uint16_t port = 0;
    listen_entry entry;
    if (!has_tls && !take_scheme(&rest, "nats://"))
        return "nats://host:4222 or tls://host:4222 is wanted";
    if (rest.len > 0 && memchr(rest.data, '@', rest.len) != NULL)
        return "a user and a password do not stand here, but in CLUSTER_USER and CLUSTER_PASSWORD_FILE";
    const char *reason = split(rest, &host, &port);
    if (reason != NULL)
        return reason;
    if (url.len >= CLUSTER_URL_CAP - sizeof(":65535") || listen_entry_parse_host(host, &entry) != NULL)
        return "a host name, IPv4 or [IPv6] is wanted behind the slashes, and nothing behind its port";
    *is_open = !has_tls && !listen_entry_is_loopback(&entry);
    return NULL;
}

bool cluster_settings_take_url(slice *list, char url[CLUSTER_URL_CAP])
{
    slice entry;
    if (!slice_take_entry(list, &entry))
        return false;
    assert(entry.len < CLUSTER_URL_CAP);
    memcpy(url, entry.data, entry.len);
    url[entry.len] = '\0';
    return true;
}

bool cluster_settings_has_tls(const cluster_settings *s)
{
    slice list = slice_of_text(s->texts[CLUSTER_URL]);
    for (slice url; slice_take_entry(&list, &url);) {
        if (take_scheme(&url, "tls://"))
            return true;
    }
    return false;
}

bool cluster_settings_find_open(const cluster_settings *s, slice *url)
{
    slice list = slice_of_text(s->texts[CLUSTER_URL]);
    while (slice_take_entry(&list, url)) {
        bool is_open = false;
        if (find_fault_of_url(*url, &is_open) == NULL && is_open)
            return true;
    }
    return false;
}

/* No report shows a password, also where it stands in the wrong place. */
static slice without_password(slice url)
{
    slice rest = url;
    while (rest.len > 0 && memchr(rest.data, '@', rest.len) != NULL)
        (void)slice_take_until(&rest, '@');
    return rest;
}

static bool check_urls(const cluster_settings *s, cluster_fault *fault)
{
    slice list = slice_of_text(s->texts[CLUSTER_URL]);
    bool has_tls = cluster_settings_has_tls(s);
    int count = 0;
    for (slice url; slice_take_entry(&list, &url); count++) {
        bool is_open;
        const char *reason = count == CLUSTER_URLS_MAX ? "16 stand before it, and more are not taken"
                                                       : find_fault_of_url(url, &is_open);
        if (reason == NULL && has_tls && url.data[0] != 't')
            reason = "another entry has tls://, and then all must have it";
        if (reason != NULL)
            return fail(fault, CLUSTER_URL, without_password(url), reason);
    }
    return count > 0 || fail(fault, CLUSTER_URL, slice_of_text(s->texts[CLUSTER_URL]),
                             "there is no entry in it; nats://host:4222 or tls://host:4222 is wanted");
}

/* ---- Names, and what goes together ---- */

static bool is_name(slice text)
{
    bool is_good = text.len > 0 && text.len <= CLUSTER_NAME_MAX;
    for (size_t i = 0; i < text.len; i++)
        is_good = is_good && (ascii_is_letter(text.data[i]) || ascii_is_digit(text.data[i]) ||
                              text.data[i] == '_' || text.data[i] == '-');
    return is_good;
}

bool cluster_settings_check(const cluster_settings *s, cluster_fault *fault)
{
    slice name = slice_of_text(s->texts[CLUSTER_NAME]);
    slice node = slice_of_text(s->texts[CLUSTER_NODE]);
    slice user = slice_of_text(s->texts[CLUSTER_USER]);
    if (!check_urls(s, fault))
        return false;
    if (!is_name(name))
        return fail(fault, CLUSTER_NAME, name, "1 to 64 letters, digits, _ and - are allowed");
    if (node.len > CLUSTER_NAME_MAX)
        return fail(fault, CLUSTER_NODE, node, "64 bytes are the most");
    if (!is_set(s, CLUSTER_SECRET_FILE))
        return fail(fault, CLUSTER_SECRET_FILE, (slice){"", 0},
                    "CLUSTER_URL needs it: a file with the secret that all servers of the cluster share");
    if (is_set(s, CLUSTER_CREDENTIALS_FILE) && user.len > 0)
        return fail(fault, CLUSTER_USER, user, "CLUSTER_CREDENTIALS_FILE is set; one of the two is wanted");
    if (user.len > 0 && !is_set(s, CLUSTER_PASSWORD_FILE))
        return fail(fault, CLUSTER_USER, user, "it needs CLUSTER_PASSWORD_FILE");
    if (user.len == 0 && is_set(s, CLUSTER_PASSWORD_FILE))
        return fail(fault, CLUSTER_USER, user, "CLUSTER_PASSWORD_FILE is set, and is for a user");
    if (is_set(s, CLUSTER_CERT_FILE) != is_set(s, CLUSTER_KEY_FILE))
        return fail(fault, CLUSTER_CERT_FILE, slice_of_text(s->texts[CLUSTER_CERT_FILE]),
                    "CLUSTER_CERT_FILE and CLUSTER_KEY_FILE go together");
    return true;
}

/* ---- Files ---- */

static const char *reason_of(int error)
{
    switch (error) {
    case ENOENT:
        return "there is no such file";
    case EACCES:
    case EPERM:
        return "this user may not read it";
    case EISDIR:
        return "it is a directory; a file is wanted";
    default:
        return "it can't be read";
    }
}

/* All of a file without the blanks and ends of lines around it. The length, or -errno. */
static ssize_t read_file(const char *path, char out[FILE_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t len = read(fd, out, FILE_MAX);
    int error = len < 0 ? errno : 0;
    close(fd);
    if (error != 0)
        return -error;
    while (len > 0 &&
           (out[len - 1] == '\n' || out[len - 1] == '\r' || out[len - 1] == ' ' || out[len - 1] == '\t'))
        len--;
    return len;
}

static bool read_secret(const cluster_settings *s, uint8_t out[CLUSTER_SECRET_BYTES], cluster_fault *fault)
{
    char text[FILE_MAX];
    slice path = slice_of_text(s->texts[CLUSTER_SECRET_FILE]);
    ssize_t len = read_file(path.data, text);
    bool is_good = len >= CLUSTER_SECRET_BYTES && len < FILE_MAX;
    if (is_good)
        crypto_generichash(out, CLUSTER_SECRET_BYTES, (const uint8_t *)text, (size_t)len, NULL, 0);
    sodium_memzero(text, sizeof(text));
    if (len < 0)
        return fail(fault, CLUSTER_SECRET_FILE, path, reason_of((int)-len));
    return is_good || fail(fault, CLUSTER_SECRET_FILE, path,
                           len < CLUSTER_SECRET_BYTES
                               ? "32 bytes are the least; openssl rand -base64 32 makes a good secret"
                               : "4,095 bytes are the most");
}

static bool read_password(const cluster_settings *s, char out[CLUSTER_PASSWORD_CAP], cluster_fault *fault)
{
    char text[FILE_MAX];
    slice path = slice_of_text(s->texts[CLUSTER_PASSWORD_FILE]);
    out[0] = '\0';
    if (path.len == 0)
        return true;
    ssize_t len = read_file(path.data, text);
    bool is_good = len > 0 && len < CLUSTER_PASSWORD_CAP && memchr(text, '\0', (size_t)len) == NULL;
    if (is_good) {
        memcpy(out, text, (size_t)len);
        out[len] = '\0';
    }
    sodium_memzero(text, sizeof(text));
    if (len < 0)
        return fail(fault, CLUSTER_PASSWORD_FILE, path, reason_of((int)-len));
    return is_good ||
           fail(fault, CLUSTER_PASSWORD_FILE, path, "a password of 1 to 255 bytes is wanted in it");
}

/* The library reads these by itself. */
static bool check_readable(const cluster_settings *s, cluster_setting which, cluster_fault *fault)
{
    const char *path = s->texts[which];
    struct stat found = {0};
    if (path[0] == '\0')
        return true;
    bool is_there = access(path, R_OK) == 0 && stat(path, &found) == 0;
    int error = !is_there ? errno : S_ISDIR(found.st_mode) ? EISDIR : 0;
    return error == 0 || fail(fault, which, slice_of_text(path), reason_of(error));
}

int cluster_settings_read(const cluster_settings *s, cluster_secrets *out, cluster_fault *fault)
{
    static const cluster_setting others[] = {CLUSTER_CREDENTIALS_FILE, CLUSTER_CA_FILE, CLUSTER_CERT_FILE,
                                             CLUSTER_KEY_FILE};
    if (!read_secret(s, out->secret, fault) || !read_password(s, out->password, fault))
        return -EINVAL;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (!check_readable(s, others[i], fault))
            return -EINVAL;
    }
    return 0;
}

bool cluster_settings_is_secret_open(const cluster_settings *s)
{
    struct stat found;
    return stat(s->texts[CLUSTER_SECRET_FILE], &found) == 0 && (found.st_mode & S_IROTH) != 0;
}

/* ---- The name of this node ---- */

void cluster_settings_name_node(const cluster_settings *s, char out[CLUSTER_NAME_MAX + 1])
{
    memset(out, 0, CLUSTER_NAME_MAX + 1);
    if (s->texts[CLUSTER_NODE][0] != '\0')
        memcpy(out, s->texts[CLUSTER_NODE], strnlen(s->texts[CLUSTER_NODE], CLUSTER_NAME_MAX));
    else if (gethostname(out, CLUSTER_NAME_MAX) != 0 || out[0] == '\0')
        memcpy(out, "unnamed", sizeof("unnamed"));
}
