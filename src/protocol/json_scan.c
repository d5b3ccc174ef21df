/* The scanner goes over the text from left to right and never steps back. Each scan_…() gets the place where
 * something must begin. It returns where that ends, or NULL when it is missing or broken.
 *
 * An object ends with its bracket '}', and only blanks may follow. This is checked first, and `end` points
 * behind that bracket. So the last byte before `end` is known. Only a string and a closing bracket can run
 * over it, and they check that. Everything else stops at this byte, and need not check at each byte whether
 * the text goes on.
 *
 * Strings are the hot part. They are read by json_string.h. */
#include "protocol/json_scan.h"

#include "base/ascii.h"
#include "protocol/json_string.h"

#include <assert.h>
#include <errno.h>

/* The containers that are open below the top-level object, which itself is the first level. */
typedef struct nesting {
    unsigned depth;                   /* how many are open */
    bool is_empty;                    /* nothing has been read in the innermost one yet */
    char closing[JSON_MAX_DEPTH - 1]; /* the bracket that ends each of them */
} nesting;

/* RFC 8259, 2: only these four are white space. */
static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Between the members of a text as JSON.stringify() writes it there is none, and one comparison says so. */
static inline const char *skip_blanks(const char *at)
{
    while ((unsigned char)*at <= ' ' && is_blank(*at))
        at++;
    return at;
}

/* Take this byte of the grammar, and the blanks behind it. */
static const char *scan_byte(const char *at, char byte)
{
    return *at == byte ? skip_blanks(at + 1) : NULL;
}

/* ---- Other scalars ---- */

static const char *scan_digits(const char *at)
{
    if (!ascii_is_digit(*at))
        return NULL;
    while (ascii_is_digit(*at))
        at++;
    return at;
}

/* RFC 8259, 6. A digit behind a leading zero is left to the caller, who wants a comma or a bracket there. */
static const char *scan_number(const char *at)
{
    if (*at == '-')
        at++;
    at = *at == '0' ? at + 1 : scan_digits(at);
    if (at != NULL && *at == '.')
        at = scan_digits(at + 1);
    if (at != NULL && (*at == 'e' || *at == 'E')) {
        at++;
        if (*at == '+' || *at == '-')
            at++;
        at = scan_digits(at);
    }
    return at;
}

static const char *scan_literal(const char *at, const char *end, slice literal)
{
    bool is_there = (size_t)(end - at) >= literal.len && memcmp(at, literal.data, literal.len) == 0;
    return is_there ? at + literal.len : NULL;
}

/* A value that is neither a container nor a string. */
static inline const char *scan_bare(const char *at, const char *end, json_type *type)
{
    switch (*at) {
    case 'n':
        *type = JSON_NULL;
        return scan_literal(at, end, SLICE_LITERAL("null"));
    case 't':
        *type = JSON_TRUE;
        return scan_literal(at, end, SLICE_LITERAL("true"));
    case 'f':
        *type = JSON_FALSE;
        return scan_literal(at, end, SLICE_LITERAL("false"));
    default:
        *type = JSON_NUMBER;
        return scan_number(at);
    }
}

/* A value that is not a container. */
static inline const char *scan_scalar(const char *at, const char *end, json_type *type, bool *has_escapes)
{
    if (*at == '"') {
        *type = JSON_STRING;
        return json_string_scan(at, end, has_escapes);
    }
    *has_escapes = false;
    return scan_bare(at, end, type);
}

/* ---- Members and containers ---- */

/* The name of a member, and the colon, up to the start of the value. */
static inline const char *scan_name(const char *at, const char *end, slice *name, bool *has_escapes)
{
    const char *start = at;
    at = json_string_scan(at, end, has_escapes);
    if (at == NULL)
        return NULL;
    *name = (slice){start + 1, (size_t)(at - start) - 2};
    return scan_byte(skip_blanks(at), ':');
}

static bool is_opening(char byte)
{
    return byte == '{' || byte == '[';
}

/* Enter the container that this bracket opens. False if it is nested too deeply. */
static bool enter(nesting *open, char bracket)
{
    if (open->depth == sizeof(open->closing))
        return false;
    open->closing[open->depth++] = bracket == '{' ? '}' : ']';
    open->is_empty = true;
    return true;
}

/* A member or an element of the innermost open container. If it is a container itself, only its opening
 * bracket is read. */
static inline const char *scan_inner(const char *at, const char *end, nesting *open, bool is_in_object)
{
    json_member inner; /* not used */
    if (!open->is_empty)
        at = scan_byte(at, ',');
    if (at != NULL && is_in_object)
        at = scan_name(at, end, &inner.key, &inner.key_has_escapes);
    if (at == NULL)
        return NULL;
    if (is_opening(*at))
        return enter(open, *at) ? at + 1 : NULL;
    open->is_empty = false;
    return scan_scalar(at, end, &inner.type, &inner.value_has_escapes);
}

/* An object or array below the top level, with all that is in it. */
static const char *scan_container(const char *at, const char *end)
{
    nesting open;
    open.depth = 0; /* the rest of it is written before it is read */
    enter(&open, *at++);
    while (open.depth > 0) {
        char closing = open.closing[open.depth - 1];
        at = skip_blanks(at);
        if (*at == closing) {
            open.depth--;
            open.is_empty = false;
            at++;
            if (at == end) /* this was the bracket of the top-level object */
                return NULL;
        } else {
            at = scan_inner(at, end, &open, closing == '}');
            if (at == NULL)
                return NULL;
        }
    }
    return at;
}

/* ---- Flat objects ---- */

/* A walk over the special bytes of a text (protocol/json_block.h). The marks of a block tell all of them at
 * once, so where the next string ends is known before this one has been looked at. */
typedef struct special_walk {
    const char *block; /* has JSON_BLOCK bytes */
    const char *end;   /* of the text */
    uint64_t marks;    /* special bytes of the block that are not taken yet */
} special_walk;

/* Go on at this place of the text, which has a block or more. Its last block may begin before that place. */
static inline void walk_from(special_walk *walk, const char *at)
{
    walk->block = walk->end - at < JSON_BLOCK ? walk->end - JSON_BLOCK : at;
    walk->marks = json_mark_block(walk->block) & UINT64_MAX << (at - walk->block);
}

/* Take the next special byte. NULL if there is none. */
static inline const char *take_special(special_walk *walk)
{
    while (walk->marks == 0) {
        const char *next = walk->block + JSON_BLOCK;
        if (next == walk->end)
            return NULL;
        walk_from(walk, next);
    }
    const char *special = walk->block + __builtin_ctzll(walk->marks);
    walk->marks &= walk->marks - 1;
    return special;
}

/* Take a string that begins here with a quote. Returns the quote that ends it; or the backslash or control
 * character before that; or NULL. */
static inline const char *take_string(special_walk *walk, const char *at)
{
    const char *quote = take_special(walk);
    assert(quote == at);
    (void)quote, (void)at;
    return take_special(walk);
}

/* Take a value. Returns where it ends, or NULL: a container is read as a broken number. */
static inline const char *take_value(special_walk *walk, const char *at)
{
    json_type type; /* not used */
    if (*at != '"')
        return scan_bare(at, walk->end, &type);
    at = take_string(walk, at);
    if (at == NULL)
        return NULL;
    if (*at == '"')
        return at + 1;
    at = json_string_scan_escapes(at, walk->end);
    if (at != NULL)
        walk_from(walk, at);
    return at;
}

/* A flat object as JSON.stringify() writes it: no blanks, no names with escapes, and nothing in it is a
 * container. Most candidates are such. NULL for every other text, good or bad, and for one that is shorter
 * than a block: scan_container() must read it. */
static const char *scan_flat_object(const char *at, const char *end)
{
    if (end - at < JSON_BLOCK)
        return NULL;
    special_walk walk = {.end = end};
    walk_from(&walk, at);
    do {
        if (*++at != '"')
            return NULL;
        at = take_string(&walk, at);
        /* The last byte is a bracket. So a quote has a byte behind it, and that is before the end. */
        if (at == NULL || *at != '"' || at[1] != ':')
            return NULL;
        at = take_value(&walk, at + 2);
        if (at == NULL)
            return NULL;
    } while (*at == ',');
    return *at == '}' && at + 1 != end ? at + 1 : NULL;
}

/* A value of any type. */
static inline const char *scan_value(const char *at, const char *end, json_type *type, bool *has_escapes)
{
    if (!is_opening(*at))
        return scan_scalar(at, end, type, has_escapes);
    *type = *at == '{' ? JSON_OBJECT : JSON_ARRAY;
    *has_escapes = false;
    const char *behind = *at == '{' ? scan_flat_object(at, end) : NULL;
    return behind != NULL ? behind : scan_container(at, end);
}

static const char *scan_member(const char *at, const char *end, json_member *member)
{
    at = scan_name(at, end, &member->key, &member->key_has_escapes);
    if (at == NULL)
        return NULL;

    const char *start = at;
    at = scan_value(at, end, &member->type, &member->value_has_escapes);
    if (at != NULL)
        member->value = (slice){start, (size_t)(at - start)};
    return at;
}

const char *json_scan_value(const char *at, const char *end, json_type *type)
{
    assert(at < end && end[-1] == '}');
    bool has_escapes; /* not used */
    return scan_value(at, end, type, &has_escapes);
}

/* Drop the blanks around the text, and the opening bracket of the object. False if there are no brackets. */
static bool open_object(json_scan *scan)
{
    slice text = scan->rest;
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    if (text.len == 0 || text.data[text.len - 1] != '}')
        return false;

    const char *at = skip_blanks(text.data);
    if (*at != '{')
        return false;
    at++;
    scan->rest = (slice){at, (size_t)(text.data + text.len - at)};
    scan->has_begun = true;
    return true;
}

int json_scan_next(json_scan *scan, json_member *member)
{
    bool is_first = !scan->has_begun;
    if (is_first && !open_object(scan))
        return -EINVAL;

    const char *end = scan->rest.data + scan->rest.len;
    const char *at = skip_blanks(scan->rest.data);
    if (*at == '}')
        return at + 1 == end ? 0 : -EINVAL;
    if (!is_first)
        at = scan_byte(at, ',');
    if (at != NULL)
        at = scan_member(at, end, member);
    if (at == NULL)
        return -EINVAL;
    scan->rest = (slice){at, (size_t)(end - at)};
    return 1;
}
