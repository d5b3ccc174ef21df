#include "support/run_fail.h"

#include <stdarg.h>
#include <stdio.h>

sigjmp_buf fail_jump;
char fail_text[FAIL_TEXT_CAP];

void run_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fail_text, sizeof(fail_text), format, arguments);
    va_end(arguments);
    siglongjmp(fail_jump, 1);
}
