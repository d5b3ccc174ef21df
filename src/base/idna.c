#include "base/idna.h"

#include <dlfcn.h>
#include <idn2.h>
#include <stdint.h>

/* Four bytes of UTF-8 for each letter of the longest name. */
enum { NAME_CAP = 4 * HOST_NAME_CAP };

/* What is called of the library, as its header declares it. */
typedef struct functions {
    __typeof__(idn2_lookup_u8) *lookup;
    __typeof__(idn2_free) *release;
} functions;

/* POSIX has functions come as void *, which C can only copy. */
static bool find(void *library, const char *name, void *function)
{
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof(found));
    return found != NULL;
}

static bool load(idna *i, functions *out)
{
    if (i->library == NULL)
        i->library = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);
    return i->library != NULL && find(i->library, "idn2_lookup_u8", &out->lookup) &&
           find(i->library, "idn2_free", &out->release);
}

/* The library's own texts go with it. */
static const char *reason_of(int code)
{
    switch (code) {
    case IDN2_MALLOC:
        return "out of memory";
    case IDN2_ENCODING_ERROR:
        return "it is not UTF-8";
    case IDN2_TOO_BIG_DOMAIN:
    case IDN2_TOO_BIG_LABEL:
    case IDN2_PUNYCODE_BIG_OUTPUT:
        return "longer than any host name";
    default:
        return "a letter in it, or where that stands, is not allowed in host names (IDNA2008); one that has "
               "been "
               "registered nevertheless goes in its xn-- form";
    }
}

static const char *look_up(const functions *f, const char *name, char out[HOST_NAME_CAP])
{
    uint8_t *found = NULL;
    int code = f->lookup((const uint8_t *)name, &found, IDN2_NONTRANSITIONAL);
    const char *reason = code == IDN2_OK ? NULL : reason_of(code);
    if (reason == NULL && strlen((const char *)found) >= HOST_NAME_CAP)
        reason = reason_of(IDN2_TOO_BIG_DOMAIN);
    if (reason == NULL)
        strcpy(out, (const char *)found);
    f->release(found);
    return reason;
}

const char *idna_to_ascii(idna *i, slice name, char out[HOST_NAME_CAP])
{
    char text[NAME_CAP];
    functions f;
    if (name.len >= sizeof(text))
        return reason_of(IDN2_TOO_BIG_DOMAIN);
    if (name.len == 0 || memchr(name.data, '\0', name.len) != NULL)
        return reason_of(IDN2_DISALLOWED);
    if (!load(i, &f))
        return "letters that are not ASCII take libidn2, which is not installed (libidn2-0); the xn-- form "
               "goes "
               "without it";
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    return look_up(&f, text, out);
}

void idna_deinit(idna *i)
{
    if (i->library != NULL)
        dlclose(i->library);
    *i = (idna){0};
}
