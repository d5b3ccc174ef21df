#include "support/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

void journal_note(journal *j, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(j->text + j->len, sizeof(j->text) - j->len, format, arguments);
    va_end(arguments);
    assert_true(len >= 0 && (size_t)len < sizeof(j->text) - j->len);
    j->len += (size_t)len;
}

void journal_expect_at(journal *j, const char *expected, const char *file, int line)
{
    if (strcmp(j->text, expected) != 0) {
        print_error("expected:\n%sgot:\n%s", expected, j->text);
        _fail(file, line);
    }
    journal_clear(j);
}

void journal_clear(journal *j)
{
    j->len = 0;
    j->text[0] = '\0';
}
