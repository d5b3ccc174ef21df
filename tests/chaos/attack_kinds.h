/* What the attackers of tests/chaos/attack.c say. To add an attack, add a row to the table in attack_kinds.c.
 */
#ifndef HOMECALL_TESTS_CHAOS_ATTACK_KINDS_H
#define HOMECALL_TESTS_CHAOS_ATTACK_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes to send; a zeroed one is empty. */
typedef struct text {
    uint8_t *data; /* owned */
    size_t len, cap;
} text;

typedef struct attack {
    const char *name;
    void (*say_once)(text *t, unsigned number); /* what a socket says at first; NULL = nothing */
    void (*say_always)(text *t);                /* what all say again and again */
    double rate;   /* how often a second one socket says that; 0 = as often as it can */
    bool is_deaf;  /* every other socket says nothing, and reads nothing */
    bool is_hello; /* with TLS: it comes, says hello, and when it gets an answer goes and comes again */
    bool renews;   /* with TLS: it asks for new keys with each thing that it says */
} attack;

/* Append to a text. Without memory the program ends. */
void attack_add(text *t, const void *data, size_t len);

/* The attack of this name, or NULL. */
const attack *attack_find(const char *name);

#endif
