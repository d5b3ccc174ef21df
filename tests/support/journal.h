/* A journal: the callbacks of a test write down what happened, line by line, and the test says what must
 * stand there. */
#ifndef HOMECALL_TESTS_SUPPORT_JOURNAL_H
#define HOMECALL_TESTS_SUPPORT_JOURNAL_H

#include <stddef.h>

/* Zeroed = empty. */
typedef struct journal {
    size_t len;
    char text[16 * 1024]; /* ends with NUL */
} journal;

void journal_note(journal *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Exactly this must have been noted since the last time; the journal is empty afterwards. */
#define journal_expect(j, expected) journal_expect_at((j), (expected), __FILE__, __LINE__)

/* For journal_expect. */
void journal_expect_at(journal *j, const char *expected, const char *file, int line);

/* Forget what was noted. */
void journal_clear(journal *j);

#endif
