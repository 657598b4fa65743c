/* The target "remote": a host across the network, reached by libnet and libpcap from an address of the tester's own.
 *
 * Theory of operation. The plan (plan.h) says which interface, which addresses, which router. The wire (net_wire.h) injects and
 * captures there; the station (targets/tap/station.h) answers ARP, neighbour discovery and echo for the tester's addresses, finds
 * the host and measures the way to it, and makes a target of it all. What the run changes on this machine, the watcher (watcher.h)
 * takes back, however the run ends. With address=own the firewall (firewall.h) keeps the local kernel out of the tester's
 * connections. Floods are for hosts of which disruption=yes says that they harm nobody. */
#include "targets/remote/target_remote.h"
#include "targets/remote/firewall.h"
#include "targets/remote/net_wire.h"
#include "targets/remote/plan.h"
#include "targets/tap/drivers.h"
#include "targets/tap/station.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct remote { /* beside the station, what has to be taken back */
    struct plan plan;
    struct watcher *watcher;
    struct firewall firewall;
};

static void remote_closing(void *context)
{
    struct remote *r = context;
    firewall_close(&r->firewall);
    watcher_end(r->watcher);
    free(r);
}

static struct wire *open_wire(struct remote *r, struct target_error *error)
{
    char text[FILTER_TEXT_MAX];
    const struct filter filter = plan_filter(&r->plan);
    struct net_wire_config config = { .filter = text, .watcher = r->watcher };
    memcpy(config.interface, r->plan.interface, sizeof config.interface);
    if (filter_text(&filter, text, sizeof text) >= 0)
        return net_wire_open(&config, error);
    error->kind = TARGET_ERR_UNAVAILABLE;
    snprintf(error->text, sizeof error->text, "the capture filter is longer than %d octets", FILTER_TEXT_MAX);
    return NULL;
}

static bool keep_kernel_out(struct remote *r, struct target_error *error)
{
    struct guarded_ports guarded[FIREWALL_RULES_MAX];
    unsigned count = 0;
    if (!r->plan.pixit.own_address)
        return true;
    for (unsigned v = 0; v < 2; v++)
        if (r->plan.pixit.tester[v].version)
            guarded[count++] = (struct guarded_ports){
                .from = r->plan.pixit.iut[v], .to = r->plan.pixit.tester[v], .first = r->plan.first_port,
                .last = (uint16_t)(r->plan.first_port + r->plan.port_count - 1),
            };
    return firewall_open(&r->firewall, r->watcher, r->plan.ifindex, guarded, count, error);
}

static struct target *open_station(struct remote *r, const struct target_config *config, struct target_error *error)
{
    char name[sizeof((struct target_info *)0)->name];
    struct station_config station = { .name = name, .pixit = &r->plan.pixit, .closing = remote_closing, .context = r };
    snprintf(name, sizeof name, "remote:%.56s", r->plan.host);
    station.first_port = r->plan.first_port;
    station.port_count = r->plan.port_count;
    station.wire = open_wire(r, error);
    if (station.wire && keep_kernel_out(r, error) && pixit_open_upper(&r->plan.pixit, &station.upper, error))
        return station_open(&station, config, error);
    if (station.wire)
        station.wire->ops->close(station.wire);
    remote_closing(r);
    return NULL;
}

/* Without an upper tester nobody can make a setting: that need not be found out across the network. */
static bool can_be_set(const struct pixit *pixit, const struct target_config *config, struct target_error *error)
{
    if (config->setting_count == 0 || pixit->upper != PIXIT_UPPER_NONE)
        return true;
    error->kind = TARGET_ERR_UNSUPPORTED;
    snprintf(error->text, sizeof error->text, "nobody can set %.64s at this host: it needs an agent (agent=HOST)",
             config->settings[0].name);
    return false;
}

static struct target *remote_open(const char *argument, const struct target_config *config, struct target_error *error)
{
    struct remote *r = malloc(sizeof *r);
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    if (!r) {
        error->kind = TARGET_ERR_UNAVAILABLE;
        snprintf(error->text, sizeof error->text, "out of memory");
        return NULL;
    }
    *r = (struct remote){ .firewall.held = { -1, -1 } };
    if (plan_make(argument, &r->plan, error) && can_be_set(&r->plan.pixit, config, error) && net_wire_preflight(error))
        r->watcher = watcher_start(error);
    if (r->watcher)
        return open_station(r, config, error);
    free(r);
    return NULL;
}

/* Whether the host answers is seen when it is opened. */
static bool remote_preflight(const char *argument, struct target_error *error)
{
    struct plan plan;
    *error = (struct target_error){ .kind = TARGET_ERR_NONE };
    return plan_make(argument, &plan, error) && net_wire_preflight(error);
}

const struct target_driver remote_driver = {
    .name = "remote",
    .argument = "HOST[:PORT][,KEY=VALUE]...",
    .summary = "a host across the network, by libnet and libpcap; with an agent on it, or an open port",
    .many = false,
    .virtual_time = false,
    .preflight = remote_preflight,
    .open = remote_open,
};
