/* Whether a server can be made of the options that a program gives, which may have been built against another
 * version of homecall/signal_server.h. */
#ifndef HOMECALL_SERVER_OPTIONS_CHECK_H
#define HOMECALL_SERVER_OPTIONS_CHECK_H

#include "homecall/signal_server.h"

/* Take `given`, of the size that it says, as options of this version: what an older program does not know has
 * its default. Its strings and lists are borrowed. 0; or -EINVAL, and the fault says which option is wrong,
 * and what is allowed. */
int options_check_take(signal_server_options *out, const signal_server_options *given,
                       signal_server_fault *fault);

#endif
