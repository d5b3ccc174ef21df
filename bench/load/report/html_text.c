#include "report/html_text.h"

static void write_char(FILE *out, char c)
{
    switch (c) {
    case '&':
        fputs("&amp;", out);
        return;
    case '<':
        fputs("&lt;", out);
        return;
    case '>':
        fputs("&gt;", out);
        return;
    case '"':
        fputs("&quot;", out);
        return;
    case '\'':
        fputs("&#39;", out);
        return;
    case '\t':
    case '\n':
        fputc(c, out);
        return;
    default:
        if ((unsigned char)c < ' ' || c == 0x7F)
            fputs("\xEF\xBF\xBD", out);
        else
            fputc(c, out);
    }
}

void html_write_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        write_char(out, *text);
}
