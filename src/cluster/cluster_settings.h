/* The settings of a cluster: how the engine is reached, and who we are there. They are checked and read here;
 * courier.h uses them. Any thread. */
#ifndef HOMECALL_CLUSTER_CLUSTER_SETTINGS_H
#define HOMECALL_CLUSTER_CLUSTER_SETTINGS_H

#include "cluster/cluster_ids.h"

#include <stdbool.h>

typedef enum cluster_setting {
    CLUSTER_URL,  /* a list with commas */
    CLUSTER_NAME, /* of the cluster, in the subjects of the engine */
    CLUSTER_NODE, /* the name of this node, for people; "" = that of the machine */
    CLUSTER_SECRET_FILE,
    CLUSTER_CREDENTIALS_FILE, /* these and the following: "" = none */
    CLUSTER_USER,
    CLUSTER_PASSWORD_FILE,
    CLUSTER_CA_FILE,
    CLUSTER_CERT_FILE,
    CLUSTER_KEY_FILE,
    CLUSTER_SETTINGS
} cluster_setting;

enum {
    CLUSTER_URLS_MAX = 16,
    CLUSTER_URL_CAP = 300,     /* with its NUL */
    CLUSTER_NAME_MAX = 64,     /* of a cluster or a node */
    CLUSTER_PASSWORD_CAP = 256 /* with its NUL */
};

/* Texts by setting, borrowed; none is NULL. */
typedef struct cluster_settings {
    const char *texts[CLUSTER_SETTINGS];
} cluster_settings;

/* What is wrong: with this value of that setting, and why. */
typedef struct cluster_fault {
    cluster_setting where;
    slice value;        /* borrowed from the settings */
    const char *reason; /* a literal that can follow the value and a colon */
} cluster_fault;

/* Do the settings make sense? CLUSTER_URL has an entry. No file is read. */
bool cluster_settings_check(const cluster_settings *s, cluster_fault *fault);

/* Take the next of the servers, as libraries want it, into `url`. False at the end. */
bool cluster_settings_take_url(slice *list, char url[CLUSTER_URL_CAP]);

/* Are they reached by TLS? */
bool cluster_settings_has_tls(const cluster_settings *s);

/* Is there a server of the engine that is reached without TLS, and not on this machine? Then that entry. */
bool cluster_settings_find_open(const cluster_settings *s, slice *url);

/* The name of this node: CLUSTER_NODE, or that of the machine. */
void cluster_settings_name_node(const cluster_settings *s, char out[CLUSTER_NAME_MAX + 1]);

/* What files say. To be wiped. */
typedef struct cluster_secrets {
    uint8_t secret[CLUSTER_SECRET_BYTES];
    char password[CLUSTER_PASSWORD_CAP]; /* "" = none */
} cluster_secrets;

/* Read them, and see that the other files can be read. 0, or -EINVAL with *fault. */
int cluster_settings_read(const cluster_settings *s, cluster_secrets *out, cluster_fault *fault);

/* Can others than the owner and the group read the secret? Docker gives secrets such a mode, so that is no
 * fault. */
bool cluster_settings_is_secret_open(const cluster_settings *s);

#endif
