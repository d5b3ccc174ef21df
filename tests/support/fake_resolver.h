/* Names that stand for what a test says. A program that calls this has no other names: getaddrinfo() knows
 * these and nothing else but addresses. */
#ifndef HOMECALL_TESTS_SUPPORT_FAKE_RESOLVER_H
#define HOMECALL_TESTS_SUPPORT_FAKE_RESOLVER_H

/* One name; the array of them ends with one whose name is NULL. */
typedef struct fake_name {
    const char *name;
    const char *addresses; /* with blanks between; "" = it is known and has none */
} fake_name;

/* Use these names from now on; borrowed. Not while other threads resolve names. */
void fake_resolver_set(const fake_name *names);

#endif
