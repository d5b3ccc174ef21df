/* Playing a script, and finding a shorter one that fails as well. */
#ifndef HOMECALL_TESTS_MODEL2_PLAY_H
#define HOMECALL_TESTS_MODEL2_PLAY_H

#include "model2/script.h"

/* Play it from its start to its end. True if everything was as it must be; otherwise fail_text says what was
 * not. */
bool play(const script *s);

/* The script fails: leave out steps as long as it does, and print it. */
void play_explain(const script *s);

/* The bytes that were carried for the actors' lines in the last run, up to its end. */
uint64_t play_carried(void);

#endif
