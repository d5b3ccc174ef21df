/* Journal: a text into which the callbacks of a test write what happened, line by line. The test then says
 * what the text must be. */
#ifndef HOMECALL_TESTS_SUPPORT_JOURNAL_H
#define HOMECALL_TESTS_SUPPORT_JOURNAL_H

#include <stddef.h>

/* Zeroed = empty. */
typedef struct journal {
    size_t len;
    char text[16 * 1024]; /* ends with NUL */
} journal;

/* Append to the text, with a format as in printf(). */
void journal_note(journal *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text must be exactly this. Afterwards the journal is empty. */
#define journal_expect(j, expected) journal_expect_at((j), (expected), __FILE__, __LINE__)

/* For journal_expect. */
void journal_expect_at(journal *j, const char *expected, const char *file, int line);

/* Make the journal empty. */
void journal_clear(journal *j);

#endif
