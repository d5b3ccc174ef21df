#include "support/member.h"

#include <setjmp.h>
/* cmocka.h wants the others before it. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

client *member_open(uint16_t port, const char *id)
{
    char *target;
    assert_true(asprintf(&target, "/signal?sessionId=%s", id) >= 0);
    client *c = client_dial(port);
    client_send_upgrade_to(c, target);
    free(target);
    client_expect_upgraded(c);
    return c;
}

client *member_open_settled(uint16_t port, const char *id)
{
    client *c = member_open(port, id);
    client_expect_nothing(c);
    return c;
}

/* The JSON that `text` stands for; the caller frees it. */
static char *json_of(const char *text)
{
    char *json = strdup(text);
    assert_non_null(json);
    for (char *at = json; (at = strchr(at, '\'')) != NULL;)
        *at = '"';
    return json;
}

void member_say(client *c, const char *text)
{
    char *json = json_of(text);
    client_send_text(c, json);
    free(json);
}

void member_expect(client *c, const char *text)
{
    char *json = json_of(text);
    client_expect_json(c, json);
    free(json);
}

void member_say_number(client *c, unsigned number)
{
    client_send_textf(c, "{\"type\":\"candidate\",\"candidate\":{\"number\":%u}}", number);
}

/* Expect a message that is made with a format; `rest` is what stands behind the id. */
static void expect_of_session(client *c, const char *type, const char *id, const char *rest)
{
    char *text;
    assert_true(asprintf(&text, "{'type':'%s','sessionId':'%s',%s}", type, id, rest) >= 0);
    member_expect(c, text);
    free(text);
}

void member_expect_number(client *c, const char *id, unsigned number)
{
    char rest[64];
    snprintf(rest, sizeof(rest), "'candidate':{'number':%u}", number);
    expect_of_session(c, "candidate", id, rest);
}

void member_expect_error(client *c, const char *id, const char *message)
{
    char rest[128];
    snprintf(rest, sizeof(rest), "'message':'%s'", message);
    expect_of_session(c, "error", id, rest);
}

void member_expect_pair(client *a, client *b, const char *id)
{
    member_say_number(a, 101);
    member_expect_number(b, id, 101);
    member_say_number(b, 102);
    member_expect_number(a, id, 102);
}
