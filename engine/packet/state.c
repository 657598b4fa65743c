/* The names of the connection states: one table, read in both directions. */
#include "engine/packet/state.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>

static const char *const state_names[] = {
    [TCP_STATE_CLOSED] = "CLOSED",
    [TCP_STATE_LISTEN] = "LISTEN",
    [TCP_STATE_SYN_SENT] = "SYN-SENT",
    [TCP_STATE_SYN_RECEIVED] = "SYN-RECEIVED",
    [TCP_STATE_ESTABLISHED] = "ESTABLISHED",
    [TCP_STATE_FIN_WAIT_1] = "FIN-WAIT-1",
    [TCP_STATE_FIN_WAIT_2] = "FIN-WAIT-2",
    [TCP_STATE_CLOSE_WAIT] = "CLOSE-WAIT",
    [TCP_STATE_CLOSING] = "CLOSING",
    [TCP_STATE_LAST_ACK] = "LAST-ACK",
    [TCP_STATE_TIME_WAIT] = "TIME-WAIT",
};
static_assert(sizeof state_names / sizeof state_names[0] == TCP_STATE_COUNT, "a name for every state");

const char *tcp_state_name(enum tcp_state state)
{
    return (unsigned)state < TCP_STATE_COUNT ? state_names[state] : "?";
}

/* Equal but for case, with '_' standing for '-'? */
static bool same_name(const char *name, const char *text)
{
    while (*name != '\0' && (toupper((unsigned char)*text) == *name || (*name == '-' && *text == '_'))) {
        name++;
        text++;
    }
    return *name == '\0' && *text == '\0';
}

enum tcp_state tcp_state_from_name(const char *text)
{
    for (unsigned i = 0; text != NULL && i < TCP_STATE_COUNT; i++) {
        if (same_name(state_names[i], text))
            return (enum tcp_state)i;
    }
    return TCP_STATE_COUNT;
}
