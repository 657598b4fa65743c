/* `tcpassay agent`: the upper tester on the host under test. */
#include "engine/cli/cli.h"
#include "targets/agent/agent.h"

_Static_assert((int)EXIT_OK == (int)AGENT_EXIT_DONE && (int)EXIT_USAGE == (int)AGENT_EXIT_USAGE &&
                   (int)EXIT_UNABLE == (int)AGENT_EXIT_UNABLE,
               "the agent's exit codes are the commands'");

int command_agent(int argc, char **argv)
{
    return agent_command(argc, argv, "tcpassay agent");
}
