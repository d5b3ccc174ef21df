/* What made a start fail, in words for whoever runs the program: the option, its value, what is wrong with
 * it, and what helps. */
#ifndef HOMECALL_APP_START_REPORT_H
#define HOMECALL_APP_START_REPORT_H

#include "homecall/signal_server.h"

/* Longer than every report. */
enum { START_REPORT_CAP = 1024 };

/* Write the report of a fault that signal_server_start() has told, one line without its end, as
 * "WS_HOST, WS_PORT: 127.0.0.1:8888 is already in use; …". What does not fit is cut off. */
void start_report_write(const signal_server_fault *fault, char *out, size_t cap);

/* The same for a fault that may be over soon: so long it is waited for that. */
void start_report_write_patient(const signal_server_fault *fault, uint32_t patience_ms, char *out,
                                size_t cap);

#endif
