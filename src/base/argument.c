#include "base/argument.h"

#include <string.h>

enum { COLUMNS = 80, NAME_CAP = 48 };

/* Write "-h, --help" or "--env-file PATH", and return how long it is. */
static size_t write_name(const argument *a, char out[NAME_CAP])
{
    int len = snprintf(out, NAME_CAP, "%s%s%s%s%s", a->letter != NULL ? a->letter : "",
                       a->letter != NULL ? ", " : "", a->word, a->value != NULL ? " " : "",
                       a->value != NULL ? a->value : "");
    return len < 0 ? 0 : (size_t)len;
}

void argument_print_help(FILE *out, const argument *rows, size_t count)
{
    char name[NAME_CAP];
    size_t widest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = write_name(&rows[i], name);
        widest = len > widest ? len : widest;
    }
    size_t width = COLUMNS - widest - 4; /* of the second column */
    for (size_t i = 0; i < count; i++) {
        write_name(&rows[i], name);
        const char *text = rows[i].help;
        do {
            size_t len = strlen(text);
            if (len > width) {
                const char *blank = memrchr(text, ' ', width + 1);
                len = blank == NULL ? width : (size_t)(blank - text);
            }
            fprintf(out, "  %-*s  %.*s\n", (int)widest, name, (int)len, text);
            text += len;
            text += *text == ' ';
            name[0] = '\0';
        } while (*text != '\0');
    }
}
