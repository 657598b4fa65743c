/* tcpassay-agent: the agent as a program of its own, small enough to be copied to the host under test.
 *
 * On a system of which no more is known than POSIX it is built by hand, in this folder (the two lines are one):
 *   cc -D_GNU_SOURCE -I../.. -o tcpassay-agent main.c agent.c command.c plain.c keeper.c server.c calls.c protocol.c key.c
 *   system_other.c watch_poll.c ../sockets/sockets.c ../sockets/options.c ../sockets/errors.c -lsodium */
#include "targets/agent/agent.h"

int main(int argc, char **argv)
{
    return agent_command(argc, argv, "tcpassay-agent");
}
