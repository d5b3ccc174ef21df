#include "cluster/name_json.h"

#include "base/wipe.h"
#include "protocol/json_text.h"

bool name_json_make(slice name, slice *json)
{
    json->len = 0;
    json->data = json_text_encode(name, &json->len);
    return json->data != NULL;
}

void name_json_free(slice *json)
{
    wipe_and_free((char *)(uintptr_t)json->data, json->len);
    *json = (slice){NULL, 0};
}
