/* The scanner walks one cursor over the text and never steps back. Strings are the hot part (an SDP is a
 * string of several kilobytes), so their plain bytes are skipped eight at a time. What is nested below a
 * member is checked by a machine of two states, "a value begins here" and "a value ended here", which
 * remembers of each open container only whether it is an object or an array. */
#include "protocol/json_scan.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>

typedef struct cursor {
    const char *at;  /* the next byte */
    const char *end; /* behind the last one */
} cursor;

/* The containers that are open below the object at the top, which itself is the first level. */
typedef struct nesting {
    unsigned depth;                        /* how many are open */
    uint64_t objects[JSON_MAX_DEPTH / 64]; /* bit i: the container at depth i is an object, not an array */
} nesting;

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_hex_digit(char byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static bool is_next(const cursor *c, char byte)
{
    return c->at < c->end && *c->at == byte;
}

static bool take(cursor *c, char byte)
{
    if (!is_next(c, byte))
        return false;
    c->at++;
    return true;
}

/* RFC 8259, 2: these four and no others. */
static void skip_blanks(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

/* Mark the bytes of `word` that end a run of plain string bytes (quote, backslash, below 0x20) in their
 * highest bits. A borrow may mark bytes above the lowest one marked, never below it, and a word without such
 * bytes is never marked. Bytes of 0x80 and more belong to longer characters and are plain. */
static uint64_t mark_special(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101;
    const uint64_t tops = 0x8080808080808080;
    uint64_t quote = (word ^ ones * '"') - ones;
    uint64_t backslash = (word ^ ones * '\\') - ones;
    uint64_t control = word - ones * 0x20;
    return (quote | backslash | control) & ~word & tops;
}

/* Move to the next quote, backslash or control character, or to the end. */
static void skip_plain(cursor *c)
{
    while (c->end - c->at >= 8) {
        uint64_t word;
        memcpy(&word, c->at, sizeof(word));
        uint64_t special = mark_special(le64toh(word));
        if (special != 0) {
            c->at += __builtin_ctzll(special) / 8;
            return;
        }
        c->at += 8;
    }
    while (c->at < c->end && *c->at != '"' && *c->at != '\\' && (unsigned char)*c->at >= 0x20)
        c->at++;
}

/* RFC 8259, 7. Four digits are all that the grammar asks of \u: half a surrogate pair is valid JSON. */
static bool scan_code_unit(cursor *c)
{
    for (int i = 0; i < 4; i++) {
        if (c->at == c->end || !is_hex_digit(*c->at++))
            return false;
    }
    return true;
}

/* RFC 8259, 7 */
static bool scan_escape(cursor *c)
{
    if (!take(c, '\\') || c->at == c->end)
        return false;
    switch (*c->at++) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return true;
    case 'u':
        return scan_code_unit(c);
    default:
        return false;
    }
}

static bool scan_string(cursor *c, bool *has_escapes)
{
    *has_escapes = false;
    if (!take(c, '"'))
        return false;
    for (;;) {
        skip_plain(c);
        if (take(c, '"'))
            return true;
        /* The end of the text and a control character (RFC 8259, 7: to be escaped) are no escape either. */
        if (!scan_escape(c))
            return false;
        *has_escapes = true;
    }
}

static bool scan_digits(cursor *c)
{
    const char *start = c->at;
    while (c->at < c->end && is_digit(*c->at))
        c->at++;
    return c->at > start;
}

/* RFC 8259, 6. A digit behind a leading zero is left to the caller, who finds there neither comma nor
 * bracket. */
static bool scan_number(cursor *c)
{
    take(c, '-');
    if (!take(c, '0') && !scan_digits(c))
        return false;
    if (take(c, '.') && !scan_digits(c))
        return false;
    if (take(c, 'e') || take(c, 'E')) {
        if (!take(c, '+'))
            take(c, '-');
        return scan_digits(c);
    }
    return true;
}

static bool scan_literal(cursor *c, slice literal)
{
    if ((size_t)(c->end - c->at) < literal.len || memcmp(c->at, literal.data, literal.len) != 0)
        return false;
    c->at += literal.len;
    return true;
}

/* A value that is no container. */
static bool scan_scalar(cursor *c, json_type *type, bool *has_escapes)
{
    *has_escapes = false;
    switch (c->at < c->end ? *c->at : '\0') {
    case '"':
        *type = JSON_STRING;
        return scan_string(c, has_escapes);
    case 'n':
        *type = JSON_NULL;
        return scan_literal(c, SLICE_LITERAL("null"));
    case 't':
        *type = JSON_TRUE;
        return scan_literal(c, SLICE_LITERAL("true"));
    case 'f':
        *type = JSON_FALSE;
        return scan_literal(c, SLICE_LITERAL("false"));
    default:
        *type = JSON_NUMBER;
        return scan_number(c);
    }
}

/* The name of a member, up to where its value begins. */
static bool scan_name(cursor *c, slice *name, bool *has_escapes)
{
    const char *start = c->at;
    if (!scan_string(c, has_escapes))
        return false;
    *name = (slice){start + 1, (size_t)(c->at - start) - 2};
    skip_blanks(c);
    if (!take(c, ':'))
        return false;
    skip_blanks(c);
    return true;
}

/* Where a nested value comes next; in an object its name stands before it. */
static bool scan_nested_name(cursor *c, bool is_object)
{
    slice name;
    bool has_escapes;
    return !is_object || scan_name(c, &name, &has_escapes);
}

static bool push(nesting *open, bool is_object)
{
    if (open->depth == JSON_MAX_DEPTH - 1) /* the object at the top is one level too */
        return false;
    uint64_t bit = UINT64_C(1) << open->depth % 64;
    uint64_t *bits = &open->objects[open->depth / 64];
    *bits = is_object ? *bits | bit : *bits & ~bit;
    open->depth++;
    return true;
}

static bool is_in_object(const nesting *open)
{
    unsigned innermost = open->depth - 1;
    return (open->objects[innermost / 64] >> innermost % 64 & 1) != 0;
}

/* A value begins here: read a scalar, or enter a container. */
static bool begin_value(cursor *c, nesting *open, bool *wants_value)
{
    bool is_object = is_next(c, '{');
    if (!is_object && !is_next(c, '[')) {
        json_type type;
        bool has_escapes;
        *wants_value = false;
        return scan_scalar(c, &type, &has_escapes);
    }
    if (!push(open, is_object))
        return false;
    c->at++;
    skip_blanks(c);
    *wants_value = !is_next(c, is_object ? '}' : ']');
    return !*wants_value || scan_nested_name(c, is_object);
}

/* A value ended here, or an empty container began: leave the container, or go on in it. */
static bool end_value(cursor *c, nesting *open, bool *wants_value)
{
    bool is_object = is_in_object(open);
    skip_blanks(c);
    if (take(c, is_object ? '}' : ']')) {
        open->depth--;
        return true;
    }
    if (!take(c, ','))
        return false;
    skip_blanks(c);
    *wants_value = true;
    return scan_nested_name(c, is_object);
}

/* An object or array with all that is in it. */
static bool scan_container(cursor *c)
{
    nesting open;
    open.depth = 0; /* the bits are written before they are read */
    bool wants_value = true;
    bool is_valid;
    do {
        is_valid = wants_value ? begin_value(c, &open, &wants_value) : end_value(c, &open, &wants_value);
    } while (is_valid && open.depth > 0);
    return is_valid;
}

static bool scan_member(cursor *c, json_member *member)
{
    if (!scan_name(c, &member->key, &member->key_has_escapes))
        return false;

    const char *start = c->at;
    bool is_object = is_next(c, '{');
    if (is_object || is_next(c, '[')) {
        member->type = is_object ? JSON_OBJECT : JSON_ARRAY;
        member->value_has_escapes = false;
        if (!scan_container(c))
            return false;
    } else if (!scan_scalar(c, &member->type, &member->value_has_escapes)) {
        return false;
    }
    member->value = (slice){start, (size_t)(c->at - start)};
    return true;
}

/* The inside of the object at the top, with the bracket that closes it. */
static bool scan_members(cursor *c, void (*on_member)(void *context, const json_member *member),
                         void *context)
{
    skip_blanks(c);
    if (take(c, '}'))
        return true;
    do {
        json_member member;
        skip_blanks(c);
        if (!scan_member(c, &member))
            return false;
        on_member(context, &member);
        skip_blanks(c);
    } while (take(c, ','));
    return take(c, '}');
}

int json_scan_object(slice text, void (*on_member)(void *context, const json_member *member), void *context)
{
    if (text.len == 0)
        return -EINVAL;

    cursor c = {text.data, text.data + text.len};
    skip_blanks(&c);
    if (!take(&c, '{') || !scan_members(&c, on_member, context))
        return -EINVAL;
    skip_blanks(&c);
    return c.at == c.end ? 0 : -EINVAL;
}
