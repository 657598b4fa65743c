/* Holds a plugin: loads the library, checks what it says of itself, and performs calls on one instance of it. Runs in the holder's
 * process, or in the tester's own when the plugin is used in process; nothing here knows which. */
#ifndef TCPASSAY_TARGETS_PLUGIN_ADAPTER_H
#define TCPASSAY_TARGETS_PLUGIN_ADAPTER_H

#include "targets/plugin/exchange.h"

struct adapter;

/* What becomes of a plugin that does what no stack may do: x->fault says what. Does not return. */
typedef void adapter_fault(const struct exchange *x);

/* Loads the library and fills x->about. NULL with x->about.error: why not, and what to do about it. */
struct adapter *adapter_load(const char *path, struct exchange *x, adapter_fault *fault);
/* Unloads; the instance must have been destroyed, or is lost. NULL is allowed. */
void adapter_free(struct adapter *adapter);

/* Performs x->request (anything but EXCHANGE_LOAD), and fills x->answer. */
void adapter_perform(struct adapter *adapter);

#endif
