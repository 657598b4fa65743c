/* The tester's side of the AUTOSAR Testability Protocol: an upper tester (targets/tap/upper.h) in an ECU that has the standard one.
 *
 * It is RECEIVE_AND_FORWARD that decides what can be played: from then on the upper tester reads whatever comes, at once, and sends
 * it here, where it waits until the scenario reads. The protocol does not say how an application would wait before it reads, nor
 * how much a socket still takes, nor in which state a connection is. Whatever a call's answer would have to be guessed for is
 * -ENOSYS, "cannot tell", and what the protocol has no primitive for is -EOPNOTSUPP or -ENOPROTOOPT: such tests are not applicable.
 *
 * Datagrams get lost. Only what may be executed twice is asked twice (GET_VERSION, START_TEST, END_TEST, CONFIGURE_SOCKET): the
 * protocol has no request numbers that an upper tester would know a repetition by. Any other answer that is missing after
 * patience_ns means that the upper tester is lost; recover() ends the test at the other side (END_TEST closes all its sockets) and
 * begins anew. */
#ifndef TCPASSAY_TARGETS_AGENT_TESTABILITY_CLIENT_H
#define TCPASSAY_TARGETS_AGENT_TESTABILITY_CLIENT_H

#include "targets/agent/testability/net.h"
#include "targets/tap/upper.h"

enum { TESTABILITY_PORT_DEFAULT = 10000 };

/* host: a name or an address; port 0: the usual one; patience_ns 0: 3 s. NULL with *error: who is silent, and how to mend it. */
struct upper *testability_connect(const char *host, uint16_t port, int64_t patience_ns, struct target_error *error);

/* The same on any net: taken over, also when it fails. */
struct upper *testability_on_net(struct tpsp_net *net, int64_t patience_ns, struct target_error *error);

#endif
