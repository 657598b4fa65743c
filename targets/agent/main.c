/* tcpassay-agent: the agent as a program of its own, small enough to be copied to the host under test. */
#include "targets/agent/agent.h"

int main(int argc, char **argv)
{
    return agent_command(argc, argv, "tcpassay-agent");
}
