#include "measure/result.h"

const char *latency_kind_name(latency_kind kind)
{
    static const char *const names[LATENCY_KINDS] = {
        [LATENCY_OPERATION] = "operation",
        [LATENCY_SIGNAL] = "signal",
        [LATENCY_CONNECT] = "connect",
        [LATENCY_RESUME] = "resume",
    };
    return names[kind];
}

latency_kind latency_kind_sampled(const histogram latency[LATENCY_KINDS])
{
    return latency[LATENCY_SIGNAL].count > 0 ? LATENCY_SIGNAL : LATENCY_OPERATION;
}

static double quotient(double dividend, double divisor)
{
    return divisor > 0 ? dividend / divisor : 0;
}

double result_per_second(const result *r, uint64_t count)
{
    return quotient((double)count, r->seconds);
}

double result_cpu_us_per(const result *r, uint64_t count)
{
    return quotient(r->server.cpu_seconds * 1e6, (double)count);
}

double result_bytes_per_connection(const result *r)
{
    double grown = (double)r->server.rss_after_bytes - (double)r->server.rss_before_bytes;
    return quotient(grown, (double)r->server.memory_connections);
}

double result_syscalls_per(const result *r, uint64_t count)
{
    return quotient((double)r->server.syscalls, (double)count);
}
