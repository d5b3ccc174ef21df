/* What may stand behind "top" on the command line: a table of its own, which the manual page reads as well.
 */
#ifndef HOMECALL_TOP_TOP_ARGUMENTS_H
#define HOMECALL_TOP_TOP_ARGUMENTS_H

#include "base/argument.h"

/* In the order of its --help; ends with a row without a word, which does not count. */
extern const argument top_arguments[];
extern const size_t top_argument_count;

#endif
