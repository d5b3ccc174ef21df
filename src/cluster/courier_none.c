/* What a build without libnats has instead of courier.c. CLUSTER_URL is refused before any of this is called.
 */
#include "cluster/courier.h"

#include <errno.h>
#include <stdio.h>

const bool courier_exists = false;

courier_answer courier_try(const cluster_settings *settings, const cluster_secrets *secrets, size_t payload,
                           char fault[COURIER_FAULT_CAP])
{
    (void)settings;
    (void)secrets;
    (void)payload;
    snprintf(fault, COURIER_FAULT_CAP, "this program was built without NATS");
    return COURIER_REFUSED;
}

int courier_new(node_core *core, const cluster_settings *settings, const cluster_secrets *secrets,
                courier **out)
{
    (void)core;
    (void)settings;
    (void)secrets;
    (void)out;
    return -ENOSYS;
}

int courier_start(courier *c)
{
    (void)c;
    return -ENOSYS;
}

void courier_wake(courier *c)
{
    (void)c;
}

void courier_stop(courier *c)
{
    (void)c;
}

void courier_free(courier *c)
{
    (void)c;
}

void courier_get_round_trips(const courier *c, counter_histogram *out)
{
    (void)c;
    *out = (counter_histogram){0};
}
