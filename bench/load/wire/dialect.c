#include "wire/dialect.h"

#include <string.h>

const load_dialect *dialect_find(const char *name)
{
    static const load_dialect *const all[] = {&dialect_homecall, &dialect_homecall_session,
                                              &dialect_homecall_2, &dialect_peerjs};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}
