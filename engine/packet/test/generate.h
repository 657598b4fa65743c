/* Random packets for tests: every shape the library knows, well-formed and damaged on purpose. */
#ifndef TCPASSAY_PACKET_TEST_GENERATE_H
#define TCPASSAY_PACKET_TEST_GENERATE_H

#include "engine/packet/packet.h"
#include "engine/packet/test/random.h"

enum { GENERATED_LEN_MAX = 9200 };

struct generated {
    const char *what;  /* which generator, and which damage if any */
    const char *damage;
    size_t len;
    uint8_t bytes[GENERATED_LEN_MAX];
};

/* A random spec for pkt_build; options and payload are written into the given storage. overrides stays 0. */
struct spec_storage {
    struct pkt_option_buffer options;
    uint8_t payload[GENERATED_LEN_MAX];
};
void generate_spec(struct random *random, struct pkt_spec *spec, struct spec_storage *storage);

/* Any packet, damaged or not. */
void generate_packet(struct random *random, struct pkt_builder *builder, struct generated *out);

#endif
