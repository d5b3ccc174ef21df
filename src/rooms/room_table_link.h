/* What a room embeds to be in a room_table, and the only place that includes uthash. */
#ifndef HOMECALL_ROOMS_ROOM_TABLE_LINK_H
#define HOMECALL_ROOMS_ROOM_TABLE_LINK_H

/* Read where uthash.h is first included: without memory its macros report instead of ending the process. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

typedef UT_hash_handle room_table_link;

#endif
