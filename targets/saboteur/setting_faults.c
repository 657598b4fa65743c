/* Faults in how the IUT is set up: one setting each, whatever the scenario asks for. A target that does not know the setting cannot
 * be given the fault: opening it says so, and its tests are not applicable. */
#include "targets/saboteur/sabotage.h"

static const struct fault faults[] = {
    {"time-wait-none", "does not stay in TIME-WAIT", .setting = "msl-ms", .value = "0"},
    {"time-wait-short", "stays in TIME-WAIT for two seconds", .setting = "msl-ms", .value = "1000"},
    {"time-wait-forever", "stays in TIME-WAIT for 49 days", .setting = "msl-ms", .value = "2147483647"},
    {"fin-wait-2-short", "gives up FIN-WAIT-2 after 100 ms once the application closed", .setting = "fin-wait-2-ms", .value = "100"},
    {"syn-retries-0", "gives up a connect without retransmitting the SYN", .setting = "syn-retries", .value = "0"},
    {"synack-retries-0", "gives up a half-open connection without retransmitting the SYN-ACK", .setting = "synack-retries", .value = "0"},
    {"data-retries-0", "gives up a connection without retransmitting data", .setting = "data-retries", .value = "0"},
    {"data-retries-1", "gives up a connection after one retransmission of data", .setting = "data-retries", .value = "1"},
    {"syn-retries-255", "does not give up a connect for hours", .setting = "syn-retries", .value = "255"},
    {"synack-retries-255", "does not give up a half-open connection for hours", .setting = "synack-retries", .value = "255"},
    {"data-retries-255", "does not give up a connection for hours", .setting = "data-retries", .value = "255"},
    {"orphan-retries-1", "gives up a connection that the application closed after one retransmission", .setting = "orphan-retries", .value = "1"},
    {"no-delayed-ack", "acknowledges everything at once", .setting = "delayed-ack-ms", .value = "0"},
    {"min-rto-10ms", "lets the retransmission timeout fall to 10 ms", .setting = "min-rto-ms", .value = "10"},
    {"no-timestamps", "knows no timestamps", .setting = "timestamps", .value = "off"},
    {"no-sack", "knows no selective acknowledgments", .setting = "sack", .value = "off"},
    {"no-window-scaling", "knows no window scaling", .setting = "window-scaling", .value = "off"},
    {"syncookies-off", "has nothing to hold against a full SYN backlog", .setting = "syncookies", .value = "off"},
    {"abort-on-overflow", "resets a connection for which the accept queue has no room", .setting = "abort-on-overflow", .value = "on"},
    {"challenge-ack-unlimited", "does not limit the rate of challenge ACKs", .setting = "challenge-ack-limit", .value = "2147483647"},
    {"keepalive-eager", "sends keep-alive probes after one idle second", .setting = "keepalive-idle-s", .value = "1"},
    {"keepalive-one-probe", "takes one unanswered keep-alive probe for a dead connection", .setting = "keepalive-probes", .value = "1"},
    {"tw-reuse", "reuses a connection in TIME-WAIT for an active open", .setting = "tw-reuse", .value = "on"},
    {"rfc1337-off", "lets a RST end TIME-WAIT", .setting = "rfc1337", .value = "off"},
};
const struct fault_group setting_faults = {SABOTEUR_SETTINGS, faults, sizeof faults / sizeof *faults};
