/* A target for the runner's own tests: a TCP that does exactly what a test tells it to. Virtual time, no protocol of its own. */
#ifndef TCPASSAY_RUNNER_TEST_PUPPET_H
#define TCPASSAY_RUNNER_TEST_PUPPET_H

#include "engine/runner/player.h"

struct puppet;

struct puppet_script { /* what the test decides */
    void (*on_packet)(struct puppet *puppet, const struct packet *packet); /* every TCP packet from the tester; NULL: nothing happens */
    int64_t (*on_call)(struct puppet *puppet, const char *call, int handle); /* accept, connect, read …; NULL: 0, but accept and read -EAGAIN */
    bool deaf_to_echo;
    unsigned capabilities_off;
    enum tcp_state state;
};

struct puppet {
    struct target target;
    struct puppet_script script;
    struct pkt_builder *builder;
    int64_t now_ns;
    struct { uint8_t *bytes; size_t len; int64_t at_ns; } queue[4096];
    unsigned queued;
    uint8_t last_sent[2048];   /* the tester's last packet, TCP or not */
    size_t last_sent_len;
    unsigned sent_count;
    uint8_t read_data[65536];  /* what receive_data gives */
    size_t read_len;
    uint8_t written[65536];    /* what send_data took */
    size_t written_len;
};

/* The puppet behind a running player; made by puppet_play(). */
struct puppet *puppet_new(const struct puppet_script *script);
/* Lets the IUT emit a packet now, or after a while. Addresses are filled in from the packet it answers. */
void puppet_emit(struct puppet *puppet, const struct packet *answers, struct pkt_spec spec, int64_t delay_ns);

struct played { /* a result, copied out of the player */
    enum verdict verdict;
    char reason[700], requirement[64], rule[64];
    uint32_t segment;
    enum requirement_level level;
    size_t findings, trace_count;
    unsigned sent_count;
    uint8_t last_sent[2048];
    size_t last_sent_len;
    int64_t duration_ns;
    uint64_t rules_tested;     /* 0: the model did not judge */
    char trace[16384];         /* every event, a line each */
};
/* Parses and plays text against a puppet. Fails the test when it does not parse. */
struct played puppet_play(const char *text, const struct puppet_script *script);
struct played puppet_play_variant(const char *text, unsigned variant, bool strict, const struct puppet_script *script);
/* The same, judged by the model. */
struct played puppet_play_judged(const char *text, bool strict, const struct puppet_script *script);

#endif
