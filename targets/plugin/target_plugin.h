/* The targets "plugin" and "plugin-in-process": a stack as a shared library, behind the interface of tcpassay_plugin.h, in virtual
 * time. */
#ifndef TCPASSAY_TARGETS_PLUGIN_TARGET_PLUGIN_H
#define TCPASSAY_TARGETS_PLUGIN_TARGET_PLUGIN_H

#include "engine/runner/target.h"

/* In a process of its own, whose death is contained (deaths()). A program that uses this driver must do, first of all in main():
 *     if (plugin_is_holder(argc, argv))
 *         return plugin_holder(argc, argv); */
extern const struct target_driver plugin_driver;
/* In the program itself: faster, and nothing is contained; for debuggers, and for fuzzers with feedback from the plugin's own code.
 */
extern const struct target_driver plugin_in_process_driver;

bool plugin_is_holder(int argc, char **argv);
int plugin_holder(int argc, char **argv);

#endif
