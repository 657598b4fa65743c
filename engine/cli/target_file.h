/* Target files: a target with its PIXIT and PICS under a name of its own, in a text of `key = value` lines (docs/targets.md).
 *
 *   # the board on my desk
 *   target      = remote:192.0.2.2
 *   iut         = 192.0.2.2/24
 *   tester      = 192.0.2.100+50
 *   agent       = 192.0.2.2
 *   key         = board.key
 *   lacks       = fastopen+ecn
 *
 * "--target NAME" finds NAME.target in the working folder, in targets.d/ below it, or in ~/.config/tcpassay; "--target PATH" any
 * file that ends so. `target` is what stands on a command line before the first comma, every other key one of pixit_keys[]
 * (targets/tap/pixit.h); only tap:, unix: and remote: have such. Relative names of files in it are taken from where the file lies.
 */
#ifndef TCPASSAY_CLI_TARGET_FILE_H
#define TCPASSAY_CLI_TARGET_FILE_H

#include "engine/runner/target.h"

#include <stdbool.h>
#include <stddef.h>

enum { TARGET_FILE_MAX = 65536 /* octets */ };

/* Does this target take keys, beyond its name? */
bool target_file_takes_keys(const char *target);
/* Is this the name of a file, rather than of a target? */
bool target_file_is_meant(const char *target);
/* The file that NAME means, malloc'ed; NULL: there is none. */
char *target_file_find(const char *target);
/* "remote:192.0.2.2,iut=…", malloc'ed, of a text; name is for messages, folder for relative names in it. NULL with *error. */
char *target_file_read(const char *name, const char *folder, const char *text, size_t len, struct target_error *error);
/* The same of a file. */
char *target_file_load(const char *path, struct target_error *error);
/* Calls for each target file that a name could mean, in order of their names. */
void target_file_each(void (*call)(void *context, const char *name, const char *path), void *context);

#endif
