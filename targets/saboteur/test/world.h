/* A sabotaged puppet and somebody who talks to it: numbers in tests are relative, 0 is each side's SYN. */
#ifndef TCPASSAY_TARGETS_SABOTEUR_TEST_WORLD_H
#define TCPASSAY_TARGETS_SABOTEUR_TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "targets/saboteur/saboteur.h"
#include "targets/saboteur/test/puppet.h"

#define MS INT64_C(1000000)
enum { S_ = PKT_SYN, A_ = PKT_ACK, F_ = PKT_FIN, R_ = PKT_RST, P_ = PKT_PSH, U_ = PKT_URG };

enum opts {
    NO_OPTIONS,
    FULL,        /* of a SYN: <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7> */
    MSS,         /* <mss 1460> */
    STAMP,       /* <nop,nop,TS val 200 ecr 300> */
    OLD_STAMP,   /* <nop,nop,TS val 50 ecr 300> */
    BLOCK,       /* <nop,nop,sack 11:21>, relative to who is being acknowledged */
    TWO_BLOCKS,  /* <nop,nop,sack 11:21 31:41> */
};

struct seg {
    uint16_t flags;
    int32_t seq;
    uint32_t len;
    int32_t ack;
    uint16_t win;
    enum opts opts;
    uint16_t urg;
    bool bad_checksum;
    uint8_t tos, ttl;
};

enum { TEXT_MAX = 512 };

struct world {
    struct target *t;
    struct puppet *p;
    struct pkt_builder *builder;
    unsigned ip;             /* 0: IPv4, 1: IPv6 */
    uint32_t iss, irs;       /* of the IUT, of the tester */
    uint16_t tester_port;    /* 20480 */
    int64_t now_ns;
    unsigned open_before;    /* instances: closing leaves as many */
};

/* Each of these ways a test about segments should be run: both IP versions, away from the wrap and across it. */
struct way { unsigned ip; uint32_t iss, irs; };
enum { WAYS = 4 };
extern const struct way ways[WAYS];

/* Opens saboteur:FAULT,puppet at one hour. */
void world_open(struct world *w, const char *fault, const struct way *way);
void world_close(struct world *w);

size_t world_build(struct world *w, bool from_iut, const struct seg *seg, uint8_t *out, size_t capacity);
/* The segment as the scenario language has it, with relative numbers: "S. 0:0(0) ack 1 win 65535 <mss 1460>". Behind a wrong
 * checksum follows "(bad checksum)", or "(bad IP checksum)"; tos and ttl follow when they are not 0 and 64. */
void world_describe(const struct world *w, bool from_iut, const uint8_t *bytes, size_t len, char out[static TEXT_MAX]);

/* The IUT sends it; what comes out at once, described, several joined by " | ", "" for nothing. */
void world_from_iut(struct world *w, struct seg seg, char out[static TEXT_MAX]);
/* The tester sends it; what the IUT got, "" for nothing. */
void world_to_iut(struct world *w, struct seg seg, char out[static TEXT_MAX]);
/* What has come out meanwhile, as above. */
void world_collect(struct world *w, char out[static TEXT_MAX]);
/* Lets time pass until then, and collects what comes out, "1000: S 0:0(0) win 65535 | 3000: …", in ms since the call. */
void world_pass_time(struct world *w, int64_t duration_ns, char out[static TEXT_MAX]);

enum situation {
    NOTHING,
    SYN_CAME,         /* and was not answered yet */
    SYN_SENT, SYN_RECEIVED,
    OPEN,             /* passively; nothing but MSS in the SYNs */
    OPEN_FULL,        /* the same with all options */
    OPEN_ACTIVELY,    /* as OPEN_FULL */
    OPEN_UNSCALED,    /* OPEN_ACTIVELY, but the tester has no options but MSS */
    SENT_10,          /* OPEN, the IUT sent 1:11(10), which is not acknowledged */
    CLOSED_WINDOW,    /* OPEN, and the tester's window is zero */
    GOT_GAP,          /* OPEN, and 11:21(10) has come, 1:11(10) has not */
    GOT_STAMP,        /* OPEN_FULL, and 1:11(10) has come, with STAMP, and was acknowledged */
    HALF_CLOSED,      /* OPEN, the IUT sent its FIN, which was acknowledged */
    BOTH_CLOSED,      /* HALF_CLOSED, and the tester's FIN came and was acknowledged */
};
/* Brings tracker and puppet there; whatever the fault does to it is nobody's business. */
void world_bring(struct world *w, enum situation situation);

/* In each file of tests: does it have one of this fault? */
bool segments_test_fault(const char *name);
bool form_test_fault(const char *name);
bool timing_test_fault(const char *name);
bool calls_test_fault(const char *name);
int segments_run(void);
int form_run(void);
int timing_run(void);
int calls_run(void);
int driver_run(void);

#endif
