/* Compares what we read with what an independent dissector, tshark, reads in the same packets, field by field.
 *
 * Theory of operation. Thousands of generated packets, most of them damaged, go into a pcap file; one run of tshark prints a line
 * for each, with a column for each field (-T fields). For the same octets we compute what should stand in each column (columns.c),
 * from the packet, and from the one it quotes if it is an ICMP error. All numbers are compared as numbers, all occurrences of a
 * field, in order; and what pkt_options_read says with the first occurrence. A difference is a failure, unless the two mean
 * different things (differences.c), each with its reason. A difference that never occurs fails too, so that the list stays honest.
 */
#include "engine/packet/test/columns.h"
#include "engine/packet/test/differences.h"
#include "engine/packet/test/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PACKETS = 6000, LINE_MAX_LEN = 1 << 14, MISMATCHES_SHOWN = 20 };

extern char **environ;

/* ---- running tshark ----------------------------------------------------------------------------------------------- */

struct run {
    char directory[64], pcap_path[96];
    struct generated *packets;
    FILE *lines;  /* tshark's output */
    pid_t tshark;
};

static void generate(struct run *run)
{
    struct random random = random_from_environment();
    struct pkt_builder *builder = pkt_builder_new();

    run->packets = calloc(PACKETS, sizeof *run->packets);
    assert_non_null(builder);
    assert_non_null(run->packets);
    for (unsigned i = 0; i < PACKETS; i++)
        generate_packet(&random, builder, &run->packets[i]);
    pkt_builder_free(builder);
}

static void write_pcap(const struct run *run)
{
    pcap_t *pcap = pcap_open_dead(DLT_RAW, GENERATED_LEN_MAX);
    pcap_dumper_t *dumper = pcap_dump_open(pcap, run->pcap_path);

    assert_non_null(dumper);
    for (unsigned i = 0; i < PACKETS; i++) {
        bpf_u_int32 len = (bpf_u_int32)run->packets[i].len;
        struct pcap_pkthdr header = { .ts = { .tv_sec = i }, .caplen = len, .len = len };
        pcap_dump((u_char *)dumper, &header, run->packets[i].bytes);
    }
    assert_int_equal(pcap_dump_flush(dumper), 0);
    pcap_dump_close(dumper);
    pcap_close(pcap);
}

/* The options: nothing relative, nothing remembered from one packet to the next, no assumption that a length of zero means
 * offloading. */
static const char *const tshark_options[] = {
    "tshark", "-n", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,",
    "-o", "tcp.relative_sequence_numbers:FALSE", "-o", "tcp.check_checksum:TRUE", "-o", "tcp.desegment_tcp_streams:FALSE",
    "-o", "ip.check_checksum:TRUE", "-o", "ip.defragment:FALSE", "-o", "ip.tso_support:FALSE", "-o", "ipv6.defragment:FALSE",
};

/* Returns 0, or why tshark did not start. Its output is to be read from run->lines. */
static int start_tshark(struct run *run)
{
    const char *arguments[COUNT(tshark_options) + 2 * COLUMNS + 3];
    posix_spawn_file_actions_t actions;
    size_t n = 0;
    int ends[2], error;

    for (size_t i = 0; i < COUNT(tshark_options); i++)
        arguments[n++] = tshark_options[i];
    for (unsigned i = 0; i < COLUMNS; i++) {
        arguments[n++] = "-e";
        arguments[n++] = column_name(i);
    }
    arguments[n++] = "-r";
    arguments[n++] = run->pcap_path;
    arguments[n] = NULL;
    setenv("WIRESHARK_CONFIG_DIR", run->directory, 1); /* not the user's preferences */
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    error = posix_spawnp(&run->tshark, "tshark", &actions, NULL, (char *const *)arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    run->lines = fdopen(ends[0], "r");
    return error;
}

/* ---- comparing ---------------------------------------------------------------------------------------------------- */

/* A number, or an address as one. */
static uint64_t parse_number(const char *text)
{
    uint8_t address[16];
    uint64_t number;
    char *end;

    if (inet_pton(AF_INET, text, address) == 1)
        return address_number(address, 4);
    if (inet_pton(AF_INET6, text, address) == 1)
        return address_number(address, 16);
    number = strtoull(text, &end, 0);
    if (end == text || *end != '\0')
        fail_msg("tshark printed \"%s\" where a number or an address was expected", text);
    return number;
}

static void parse_numbers(const char *text, struct numbers *out)
{
    char copy[LINE_MAX_LEN], *rest = copy, *item;

    snprintf(copy, sizeof copy, "%s", text);
    for (out->count = 0; (item = strsep(&rest, ",")) != NULL;) {
        if (*item != '\0')
            put_number(out, parse_number(item));
    }
}

static bool begins(const struct numbers *a, const struct numbers *b)
{
    return a->count <= b->count && memcmp(a->values, b->values, a->count * sizeof a->values[0]) == 0;
}

static bool ends(const struct numbers *a, const struct numbers *b)
{
    return a->count <= b->count && memcmp(a->values, b->values + b->count - a->count, a->count * sizeof a->values[0]) == 0;
}

static bool agree(const struct numbers *ours, const struct numbers *theirs, enum comparison comparison)
{
    bool ours_begins = begins(ours, theirs), theirs_begins = begins(theirs, ours);

    switch (comparison) {
    case OURS_BEGINS_THEIRS:
        return ours_begins;
    case THEIRS_BEGINS_OURS:
        return theirs_begins;
    case EITHER_BEGINS:
        return ours_begins || theirs_begins;
    case OURS_ENDS_THEIRS:
        return ends(ours, theirs);
    default:
        return ours_begins && theirs_begins;
    }
}

static int format_numbers(const struct numbers *n, char *out, size_t capacity)
{
    size_t len = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < n->count && len < capacity; i++)
        len += (size_t)snprintf(out + len, capacity - len, i > 0 ? ",%llu" : "%llu", (unsigned long long)n->values[i]);
    return (int)len;
}

static void hex(const struct generated *g, char *out, size_t capacity)
{
    for (size_t i = 0; i < g->len && i < 120 && 2 * i + 3 < capacity; i++)
        snprintf(out + 2 * i, 3, "%02x", g->bytes[i]);
}

struct comparing { /* the whole run */
    unsigned mismatches;
    unsigned uses[DIFFERENCES];
};

static void show_mismatch(unsigned index, const struct generated *g, const struct reading *r, unsigned column, const char *theirs)
{
    char mine[1024], octets_here[300];
    struct numbers ours;

    column_numbers(column, r, &ours);
    format_numbers(&ours, mine, sizeof mine);
    hex(g, octets_here, sizeof octets_here);
    print_error("packet %u (%s, %s, %zu octets; %s): %s is \"%s\" to us, \"%s\" to tshark\n    %s\n", index + 1, g->what, g->damage,
                g->len, pkt_error_text(r->layers[0].error), column_name(column), mine, theirs, octets_here);
}

/* Of a whole segment, and where options are compared at all. */
static bool meaning_agrees(const struct reading *r, enum comparison comparison, unsigned column, const struct numbers *theirs)
{
    const struct packet *p = &r->layers[0].packet;
    struct pkt_options options;

    if (p->kind != PKT_KIND_TCP || r->layers[0].cut || comparison != EQUAL)
        return true;
    pkt_options_read(p->tcp.options, p->tcp.options_len, &options);
    return column_meaning_agrees(column, &options, theirs);
}

static bool column_agrees(unsigned column, const struct reading *r, enum comparison comparison, const char *text)
{
    struct numbers ours, theirs;

    column_numbers(column, r, &ours);
    parse_numbers(text, &theirs);
    if (!meaning_agrees(r, comparison, column, &theirs))
        return false;
    if (agree(&ours, &theirs, comparison))
        return true;
    return strstr(column_name(column), "checksum.status") != NULL && sums_other_octets(r);
}

static void compare_line(unsigned index, const struct generated *g, char *line, struct comparing *comparing)
{
    static struct reading reading;
    enum comparison comparison;

    read_layers(g->bytes, g->len, &reading);
    comparison = how_to_compare(&reading, comparing->uses);
    line[strcspn(line, "\n")] = '\0';
    for (unsigned i = 0; i < COLUMNS; i++) {
        char *text = strsep(&line, "\t");
        assert_non_null(text);
        if (column_agrees(i, &reading, comparison, text))
            continue;
        if (comparing->mismatches++ < MISMATCHES_SHOWN)
            show_mismatch(index, g, &reading, i, text);
    }
}

static bool may_skip(void)
{
    const char *allowed = getenv("TCPASSAY_ALLOW_SKIP");

    return allowed != NULL && strcmp(allowed, "1") == 0;
}

static void tshark_reads_what_we_read(void **state)
{
    struct run *run = *state;
    static char line[LINE_MAX_LEN];
    struct comparing comparing = { 0 };
    unsigned lines = 0;
    int error = start_tshark(run), status;

    if (error == ENOENT && may_skip())
        skip();
    if (error != 0)
        fail_msg("cannot run tshark: %s. Install it (apt-get install tshark), or set TCPASSAY_ALLOW_SKIP=1", strerror(error));
    for (; fgets(line, sizeof line, run->lines) != NULL && lines < PACKETS; lines++)
        compare_line(lines, &run->packets[lines], line, &comparing);
    assert_int_equal(waitpid(run->tshark, &status, 0), run->tshark);
    assert_int_equal(status, 0);
    assert_int_equal(lines, PACKETS);
    for (unsigned i = 0; i < DIFFERENCES; i++) {
        printf("%u packets: %s\n", comparing.uses[i], difference_reason(i));
        assert_true(comparing.uses[i] != 0 || difference_is_rare(i));
    }
    if (comparing.mismatches != 0)
        fail_msg("%u fields differ in %u packets", comparing.mismatches, PACKETS);
}

static int set_up(void **state)
{
    static struct run run;

    snprintf(run.directory, sizeof run.directory, "/tmp/tcpassay-dissector-XXXXXX");
    if (mkdtemp(run.directory) == NULL)
        return -1;
    snprintf(run.pcap_path, sizeof run.pcap_path, "%s/packets.pcap", run.directory);
    generate(&run);
    write_pcap(&run);
    *state = &run;
    return 0;
}

static int tear_down(void **state)
{
    struct run *run = *state;

    if (run->lines != NULL)
        fclose(run->lines);
    unlink(run->pcap_path);
    rmdir(run->directory);
    free(run->packets);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tshark_reads_what_we_read, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("packets as an independent dissector reads them", tests, NULL, NULL);
}
