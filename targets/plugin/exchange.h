/* What the tester and the process that holds a plugin say to each other: one struct in memory that both see, one call at a time.
 * Also used without a process in between. The holder's side may have been overwritten by the plugin: the tester copies each length
 * before it checks it, and trusts nothing. */
#ifndef TCPASSAY_TARGETS_PLUGIN_EXCHANGE_H
#define TCPASSAY_TARGETS_PLUGIN_EXCHANGE_H

#include <stdatomic.h>

#include "engine/runner/target.h"

enum {
    EXCHANGE_DATA_MAX = (1 << 20) + PKT_BYTES_MAX, /* octets of one write, read or packet, or of all settings */
    EXCHANGE_OUTPUTS_MAX = 16 << 20,               /* octets of all packets of one call, 4 more for each */
    EXCHANGE_NAME_MAX = 64, EXCHANGE_VALUES_MAX = 4, EXCHANGE_FAULT_MAX = 256, EXCHANGE_SETTINGS_MAX = 32,
};

/* What is asked of the holder, and what it is at when it dies. */
enum exchange_call {
    EXCHANGE_LOAD, EXCHANGE_CREATE, EXCHANGE_DESTROY, EXCHANGE_INPUT, EXCHANGE_ADVANCE, EXCHANGE_DEADLINE, EXCHANGE_SOCKET, EXCHANGE_BIND,
    EXCHANGE_LISTEN, EXCHANGE_ACCEPT, EXCHANGE_CONNECT, EXCHANGE_SEND, EXCHANGE_RECEIVE, EXCHANGE_SHUTDOWN, EXCHANGE_CLOSE,
    EXCHANGE_SET_OPTION, EXCHANGE_GET_OPTION, EXCHANGE_IOCTL, EXCHANGE_POLL, EXCHANGE_LOCAL_ENDPOINT, EXCHANGE_STATUS,
    EXCHANGE_CALL_COUNT
};
/* "create", "input" … as the header has them; "the loading of the library" for the first. */
const char *exchange_call_name(enum exchange_call call);

/* What a plugin says of itself. */
struct exchange_about {
    char error[512];                /* why it cannot be used; "" when it can */
    char name[64], description[160], lacks[256], settings[512] /* names, with '+' between and around: "+mtu+sack+" */;
    uint32_t flags, functions;      /* enum tcpassay_flag; a bit for each exchange_call that is there */
    uint32_t abi, size;             /* as it says */
    uint16_t open_port;
    int64_t granularity_ns, tick_ns, msl_ns;
    uint32_t granularity_permille;
    unsigned fact_count;
    struct { char name[64], value[64]; } facts[TARGET_PIXIT_MAX];
};

struct exchange_request {
    enum exchange_call call;
    int64_t now_ns;
    int32_t handle;
    uint32_t len;                   /* of data, or of the room for it */
    uint32_t flags;                 /* message flags; how of shutdown(); the version of socket(); the backlog; how many values */
    int64_t values[EXCHANGE_VALUES_MAX];
    char name[EXCHANGE_NAME_MAX];   /* of an option */
    struct pkt_endpoint local, remote;
    /* create() */
    uint64_t seed;
    uint16_t mtu;
    struct pkt_addr iut[2], tester[2];
    uint32_t setting_count;         /* each as "name\0value\0" in data */
};

struct exchange_answer {
    int64_t result;                 /* as of the operations of a target; create(): 0, -EINVAL when refused, -ENOMEM */
    char words[256];                /* why it was refused */
    int64_t value;
    int64_t deadline_ns;
    struct pkt_endpoint endpoint;
    uint32_t status_there;          /* the status of the connection that was last asked for, as it is after this call, too */
    int64_t status_result;
    struct target_status status;
    uint32_t outputs_bytes;         /* used of outputs: for each packet its length as uint32_t, and its octets, up to a multiple of 4 */
};

struct exchange {
    _Atomic uint32_t asked, answered; /* calls so far: the holder works while they differ */
    _Atomic uint32_t tester_sleeps, holder_sleeps;
    _Atomic uint32_t stage;           /* enum exchange_call: which function of the plugin is running */
    _Atomic uint32_t fault_given;
    _Atomic uint32_t memory_mib;      /* of the holder, when it last looked */
    _Atomic uint32_t memory_tired;    /* it has grown so much that another holder should take the next instance */
    char fault[EXCHANGE_FAULT_MAX];   /* why the holder ended itself, in words; first letter 'h': a hang, 'c': the contract is broken */
    struct exchange_about about;      /* the answer to EXCHANGE_LOAD */
    struct exchange_request request;
    struct exchange_answer answer;
    uint8_t data[EXCHANGE_DATA_MAX];
    uint8_t outputs[EXCHANGE_OUTPUTS_MAX];
};

#endif
