/* The reason why a start has failed, in words for the operator: which option it is about, its value, what is
 * wrong with it, and what helps. */
#ifndef HOMECALL_APP_START_REPORT_H
#define HOMECALL_APP_START_REPORT_H

#include "homecall/signal_server.h"

/* Enough for every report. */
enum { START_REPORT_CAP = 1024 };

/* Write the report of a fault that signal_server_start() has told. It is one line without its end, such as
 * "WS_HOST, WS_PORT: 127.0.0.1:8888 is already in use; …". What does not fit is cut off. */
void start_report_write(const signal_server_fault *fault, char *out, size_t cap);

/* The same for a fault that may be over soon. It says that we wait for that so long, instead of what helps.
 */
void start_report_write_patient(const signal_server_fault *fault, uint32_t patience_ms, char *out,
                                size_t cap);

#endif
