/* The target "linux": this machine's kernel, in a network namespace of its own, behind a TAP device. */
#ifndef TCPASSAY_TARGETS_LINUX_TARGET_LINUX_H
#define TCPASSAY_TARGETS_LINUX_TARGET_LINUX_H

#include "engine/runner/target.h"

/* Opening the first instance may move the process into a user namespace with an empty network: see netns_open(). So whatever else
 * needs the machine's own network, or several threads, comes first or runs as root.
 *
 * Beyond the settings of target.h it takes the name of any sysctl of a network namespace as a setting: "net.ipv4.tcp_frto" "0".
 * Beyond the options of sockets in target.h's examples: see targets/sockets/options.c for the names. TARGET_MSG_FASTOPEN has no
 * address to go to here; TCP_FASTOPEN_CONNECT, then connect(), then send_data() has the same effect on the wire. */
extern const struct target_driver linux_driver;

#endif
