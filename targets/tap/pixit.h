/* PIXIT and PICS of a target that the tester did not make: addresses, times, features, and where its upper tester is; one table of
 * keys, whether they stand in a target file or behind the colon on the command line:
 *
 *   tcpassay run --target tap:tap0,iut=192.0.2.2,tester=192.0.2.100+50,agent=192.0.2.2,key=agent.key
 *
 * The syntax of an argument is WORD[,KEY=VALUE]…, and a comma within a value is written \, there; docs/targets.md explains each
 * key, pixit_keys[] in one line. */
#ifndef TCPASSAY_TARGETS_TAP_PIXIT_H
#define TCPASSAY_TARGETS_TAP_PIXIT_H

#include "engine/packet/ethernet.h"
#include "engine/runner/target.h"

enum pixit_upper { PIXIT_UPPER_NONE, PIXIT_UPPER_AGENT, PIXIT_UPPER_TESTABILITY };

struct pixit {
    char word[256];                /* what stands first: IFACE, PATH, HOST[:PORT] */
    struct pkt_addr iut[2];        /* iut=ADDR, twice for both versions; version 0: not given */
    struct pkt_addr tester[2];     /* tester=ADDR[+COUNT]: addresses of the tester's own on the link (or routed to it) … */
    uint32_t tester_count;         /* … and how many, counting up */
    struct pkt_addr router[2];     /* router=ADDR: the IUT is behind it, or answers to addresses behind it */
    uint8_t prefix[2];             /* behind a '/' of iut=: on-link prefix lengths; 0: not given (24, 64) */
    char interface[16];            /* interface=NAME: of this machine, where remote: sends and captures; "" chooses by route */
    bool mac_given, iut_mac_given;
    struct eth_addr mac, iut_mac;  /* mac=: the tester's; iut-mac=: no ARP or ND needed */
    uint16_t mtu;                  /* mtu=; 0: the wire's */
    bool stream, listening;        /* socket=dgram|stream and listen=yes|no of unix: */
    bool own_address;              /* address=own: no spare address; the machine's own is used with packet filter rules */
    enum pixit_upper upper;        /* agent=HOST[:PORT], or testability=HOST[:PORT] */
    char upper_host[256];
    uint16_t upper_port;           /* 0: the usual one */
    char key_file[256];            /* key=FILE of the agent */
    uint16_t open_port;            /* port=N: a TCP port that is open at the IUT, for runs without upper tester */
    int64_t granularity_ns;        /* granularity-ms=: a timer of the IUT may fire so late … */
    uint32_t granularity_permille; /* … granularity-percent= … */
    int64_t latency_ns;            /* latency-ms=; 0: measured */
    int64_t msl_ns;                /* msl-s=; 0: the default of the scenarios */
    bool no_echo;                  /* echo=no: it does not answer ICMP echo */
    bool disruption;               /* disruption=yes: floods harm nobody */
    char ledger[64];               /* ledger=NAME: known failures: of a target of ours ("linux"), or a file */
    char description[TARGET_TEXT_MAX]; /* description=: for the reports; "" asks the upper tester */
    uint32_t keys_seen;            /* which rows of pixit_keys[] were given, a bit each */
    char lacks[256];               /* lacks=FEATURE+FEATURE…: the PICS's "no": tests that need these are not applicable */
};

struct pixit_key {
    const char *name, *value, *meaning; /* "iut", "ADDR[/PREFIX]", "an address of the stack under test" */
    bool (*set)(struct pixit *pixit, const char *value); /* false: not as value and meaning say */
};
extern const struct pixit_key pixit_keys[]; /* ended by a name NULL */

/* False with *error (USAGE): which key, what was expected, closest key when it is a misspelling. */
bool pixit_parse(const char *argument, struct pixit *out, struct target_error *error);

/* The same piecemeal, as a target file has it: one key; and when all are there, whether they agree with each other, and the
 * defaults of what must be known. */
bool pixit_set(struct pixit *pixit, const char *key, const char *value, struct target_error *error);
bool pixit_check(struct pixit *pixit, struct target_error *error);
/* Of a link that nobody else is on (tap:, unix:): with neither iut= nor tester= the addresses of `tcpassay serve` and fifty beside
 * them; with one of the two alone, false. */
bool pixit_default_addresses(struct pixit *pixit, struct target_error *error);

#endif
