/* The drivers "tap" and "unix": PIXIT, a wire and an upper tester become a station. */
#include "targets/tap/drivers.h"
#include "targets/agent/client.h"
#include "targets/agent/testability/client.h"
#include "targets/tap/namespace.h"
#include "targets/tap/station.h"
#include "targets/tap/wire.h"
#include "targets/tap/wire_packet.h"

#include <stdio.h>
#include <string.h>

static bool refuse(struct target_error *error, enum target_error_kind kind, const char *text)
{
    error->kind = kind;
    snprintf(error->text, sizeof error->text, "%s", text);
    return false;
}

bool pixit_open_upper(const struct pixit *pixit, struct upper **out, struct target_error *error)
{
    *out = NULL;
    if (pixit->upper == PIXIT_UPPER_NONE)
        return true;
    if (pixit->upper == PIXIT_UPPER_TESTABILITY)
        *out = testability_connect(pixit->upper_host, pixit->upper_port, 0, error);
    else
        *out = agent_connect(pixit->upper_host, pixit->upper_port, *pixit->key_file ? pixit->key_file : NULL, 0, error);
    return *out != NULL;
}

/* Without an upper tester nobody can make a setting: that need not be found out on the wire. */
static bool can_be_set(const struct pixit *pixit, const struct target_config *config, struct target_error *error)
{
    if (config->setting_count == 0 || pixit->upper != PIXIT_UPPER_NONE)
        return true;
    error->kind = TARGET_ERR_UNSUPPORTED;
    snprintf(error->text, sizeof error->text, "nobody can set %.64s at this target: it needs an agent that can",
             config->settings[0].name);
    return false;
}

static struct target *open_station(const char *name, const char *argument, const struct pixit *pixit, struct wire *wire,
                                   const struct target_config *config, struct target_error *error)
{
    char full_name[64];
    snprintf(full_name, sizeof full_name, "%s:%.56s", name, argument);
    struct station_config station = { .name = full_name, .pixit = pixit, .wire = wire };
    if (!wire)
        return NULL;
    if (!pixit_open_upper(pixit, &station.upper, error)) {
        wire->ops->close(wire);
        return NULL;
    }
    return station_open(&station, config, error);
}

static bool parse(const char *argument, struct pixit *pixit, struct target_error *error)
{
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    if (!pixit_parse(argument, pixit, error) || !pixit_default_addresses(pixit, error))
        return false;
    if (pixit->interface[0])
        return refuse(error, TARGET_ERR_USAGE, "interface= is for remote: only");
    return !pixit->own_address ||
           refuse(error, TARGET_ERR_USAGE, "address=own is for remote: only: here the tester has addresses of its own");
}

/* ---- tap: ------------------------------------------------------------------------------------------------------ */

static bool parse_tap(const char *argument, struct pixit *pixit, struct target_error *error)
{
    if (!parse(argument, pixit, error))
        return false;
    if (!*pixit->word)
        return refuse(error, TARGET_ERR_USAGE, "which interface? tap:IFACE[,KEY=VALUE]…, as in tap:tap0");
    return !(pixit->stream || pixit->listening) || refuse(error, TARGET_ERR_USAGE, "socket= and listen= are for unix: only");
}

static struct target *open_tap(const char *argument, const struct target_config *config, struct target_error *error)
{
    struct pixit pixit;
    if (!parse_tap(argument, &pixit, error) || !can_be_set(&pixit, config, error))
        return NULL;
    return open_station("tap", argument, &pixit, wire_open_tap(pixit.word, error), config, error);
}

static bool preflight_tap(const char *argument, struct target_error *error)
{
    struct pixit pixit;
    struct wire_interface interface;
    if (!parse_tap(argument, &pixit, error))
        return false;
    if (wire_interface(pixit.word, &interface) == 0 && interface.index && !interface.up) {
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "interface %.32s is down; `ip link set %.32s up` brings it up", pixit.word,
                 pixit.word);
        return false;
    }
    return true;
}

const struct target_driver tap_driver = {
    .name = "tap",
    .argument = "IFACE[,KEY=VALUE]…",
    .summary = "a stack behind a TAP device or another interface of this machine",
    .many = false,
    .virtual_time = false,
    .preflight = preflight_tap,
    .open = open_tap,
};

/* ---- unix: ----------------------------------------------------------------------------------------------------- */

static bool parse_unix(const char *argument, struct pixit *pixit, struct target_error *error)
{
    return parse(argument, pixit, error)
        && (*pixit->word || refuse(error, TARGET_ERR_USAGE, "which socket? unix:PATH[,KEY=VALUE]…, as in unix:/run/vm.sock"));
}

static struct target *open_unix(const char *argument, const struct target_config *config, struct target_error *error)
{
    struct pixit pixit;
    if (!parse_unix(argument, &pixit, error) || !can_be_set(&pixit, config, error))
        return NULL;
    struct wire *wire = wire_open_unix(pixit.word, pixit.stream, pixit.listening, 0, error);
    return open_station("unix", argument, &pixit, wire, config, error);
}

static bool preflight_unix(const char *argument, struct target_error *error)
{
    struct pixit pixit;
    return parse_unix(argument, &pixit, error);
}

const struct target_driver unix_driver = {
    .name = "unix",
    .argument = "PATH[,KEY=VALUE]…",
    .summary = "a stack in a virtual machine, whose network back end speaks Ethernet on a UNIX socket",
    .many = false,
    .virtual_time = false,
    .preflight = preflight_unix,
    .open = open_unix,
};
