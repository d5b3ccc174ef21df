/* One pass over a JSON text (RFC 8259): is it valid, and where are the members of its top-level object?
 *
 * Pure and iterative: a level of nesting costs a byte, not a call, and JSON_MAX_DEPTH bounds the levels. The
 * input must be valid UTF-8 already (the frame decoder checks that); this pass checks the grammar. Nothing is
 * decoded or copied: the caller gets the raw text of each member, so a value can be passed on as it came.
 *
 *     json_scan scan = {.rest = text};
 *     json_member member;
 *     int result;
 *     while ((result = json_scan_next(&scan, &member)) > 0)
 *         look_at(&member);
 */
#ifndef HOMECALL_PROTOCOL_JSON_SCAN_H
#define HOMECALL_PROTOCOL_JSON_SCAN_H

#include "base/slice.h"

/* A text that is nested deeper is refused: RFC 8259, 9 lets a parser set a bound. cJSON's bound is 1,000. */
enum { JSON_MAX_DEPTH = 1024 };

typedef enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_OBJECT,
    JSON_ARRAY,
} json_type;

typedef struct json_member {
    slice key;      /* raw, without the quotes, with its escapes */
    slice value;    /* raw text of the value, without blanks around it; a string with its quotes */
    json_type type; /* of the value */
    bool key_has_escapes;
    bool value_has_escapes; /* for strings only */
} json_member;

/* How far the pass has come. */
typedef struct json_scan {
    slice rest;     /* borrowed: what is not read yet */
    bool has_begun; /* the opening bracket of the top-level object is read */
} json_scan;

/* Read the next member of the top-level object, in order, duplicates included. Returns 1 with the member,
 * though a fault may still follow; 0 at the end of a valid text; -EINVAL when the text is not valid JSON, is
 * nested too deeply, or is not an object. After 0 and -EINVAL the pass is over. */
int json_scan_next(json_scan *scan, json_member *member);

/* Read the value of the last member of an object, where all before it is known. The value must begin at `at`,
 * and [at, end) ends with the '}' of that object, which must be there. Returns where the value ends, which is
 * before that bracket, and its type; NULL when it is not valid JSON or is nested too deeply. */
const char *json_scan_value(const char *at, const char *end, json_type *type);

#endif
