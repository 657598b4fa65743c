/* How fast captures are judged: packets a second of `check`'s own pipeline, beside a bare loop over the same file, and beside
 * tshark and tcptrace where they are installed.
 *
 *   capture_bench [CONNECTIONS [ROUNDS]]     a capture of that many connections (default 10,000), all open at the same time
 *   capture_bench FILE                       that capture
 *
 * Each reader runs in a process of its own; the best of its rounds counts, by the time that processors spent on it, which hardly
 * depends on what else they do, and by the clock; and its peak memory. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/capture/inspection.h"
#include "engine/packet/packet.h"

enum { CONNECTIONS = 10000, ROUNDS = 3, DATA_LEN = 1448, STEP_NS = 1000, CLIENT_ISS = 1000, SERVER_ISS = 5000, RESPONSES = 10 };

static void fail(const char *what)
{
    fprintf(stderr, "capture_bench: %s\n", what);
    exit(3);
}

/* ---- the capture ---------------------------------------------------------------------------------------------------- */

struct step { /* of each connection */
    bool from_server;
    uint16_t flags;
    uint32_t seq, ack, len; /* relative to the ISSs */
};

struct script { struct step steps[64]; unsigned count; };

static void add(struct script *s, bool from_server, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    s->steps[s->count++] = (struct step){ from_server, flags, seq, ack, len };
}

/* A handshake, a request, ten full segments in answer of which every second is acknowledged, and FINs. */
static struct script write_script(void)
{
    struct script s = { .count = 0 };
    const uint32_t request = 300, response = DATA_LEN * RESPONSES;
    add(&s, false, PKT_SYN, 0, 0, 0);
    add(&s, true, PKT_SYN | PKT_ACK, 0, 1, 0);
    add(&s, false, PKT_ACK, 1, 1, 0);
    add(&s, false, PKT_ACK | PKT_PSH, 1, 1, request);
    add(&s, true, PKT_ACK, 1, 1 + request, 0);
    for (uint32_t i = 0; i < RESPONSES; i++) {
        add(&s, true, PKT_ACK, 1 + i * DATA_LEN, 1 + request, DATA_LEN);
        if (i % 2 == 1)
            add(&s, false, PKT_ACK, 1 + request, 1 + (i + 1) * DATA_LEN, 0);
    }
    add(&s, true, PKT_ACK | PKT_FIN, 1 + response, 1 + request, 0);
    add(&s, false, PKT_ACK | PKT_FIN, 1 + request, 2 + response, 0);
    add(&s, true, PKT_ACK, 2 + response, 2 + request, 0);
    return s;
}

static uint32_t time_ms(unsigned step)
{
    return 100 + step * 100;
}

/* When the other side spoke last. */
static uint32_t echo_ms(const struct script *script, unsigned step)
{
    unsigned last = step;
    while (last > 0 && script->steps[last].from_server == script->steps[step].from_server)
        last--;
    return step == 0 ? 0 : time_ms(last);
}

static void put_options(struct pkt_option_buffer *options, const struct step *step, uint32_t now_ms, uint32_t echo)
{
    if (step->flags & PKT_SYN) {
        pkt_put_mss(options, 1460);
        pkt_put_sack_permitted(options);
        pkt_put_wscale(options, 7);
        pkt_put_nop(options);
    }
    pkt_put_nop(options);
    pkt_put_nop(options);
    pkt_put_timestamp(options, now_ms, echo);
    pkt_pad_options(options);
}

static ssize_t build(struct pkt_builder *builder, const struct script *script, unsigned number, unsigned connection, uint8_t *out,
                     size_t capacity)
{
    const struct step *step = &script->steps[number];
    const uint32_t now_ms = time_ms(number);
    static const uint8_t data[DATA_LEN];
    struct pkt_option_buffer options = { 0 };
    struct pkt_addr client = { 4, { 10, 0, (uint8_t)(connection >> 12), 1 } }, server = { 4, { 192, 0, 2, 1 } };
    const uint16_t client_port = (uint16_t)(1024 + connection % 60000);
    put_options(&options, step, now_ms, echo_ms(script, number));
    const struct pkt_spec spec = {
        .protocol = PKT_PROTO_TCP, .src = step->from_server ? server : client, .dst = step->from_server ? client : server,
        .src_port = step->from_server ? 80 : client_port, .dst_port = step->from_server ? client_port : 80, .dont_fragment = true,
        .ip_id = (uint16_t)(now_ms + connection + 1), .flags = step->flags, .window = 65535, .payload = data, .payload_len = step->len,
        .seq = step->seq + (step->from_server ? SERVER_ISS : CLIENT_ISS), .options = options.bytes, .options_len = options.len,
        .ack = step->flags & PKT_ACK ? step->ack + (step->from_server ? CLIENT_ISS : SERVER_ISS) : 0,
    };
    return pkt_build(builder, &spec, out, capacity);
}

/* All connections take a step, then all the next: none is in the processor's cache when its turn comes. */
static uint64_t write_capture(const char *path, unsigned connections)
{
    const struct script script = write_script();
    struct pkt_builder *builder = pkt_builder_new();
    pcap_t *pcap = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65535, PCAP_TSTAMP_PRECISION_NANO);
    pcap_dumper_t *dumper = pcap ? pcap_dump_open(pcap, path) : NULL;
    uint8_t frame[2048] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0 };
    int64_t now_ns = 0;
    if (!builder || !dumper)
        fail("no capture can be written");
    for (unsigned i = 0; i < script.count; i++)
        for (unsigned connection = 0; connection < connections; connection++, now_ns += STEP_NS) {
            ssize_t len = build(builder, &script, i, connection, frame + 14, sizeof frame - 14);
            if (len < 0)
                fail(pkt_builder_error(builder));
            struct pcap_pkthdr header = { .ts = { now_ns / 1000000000, now_ns % 1000000000 }, .caplen = (bpf_u_int32)len + 14, .len = (bpf_u_int32)len + 14 };
            pcap_dump((u_char *)dumper, &header, frame);
        }
    pcap_dump_close(dumper);
    pcap_close(pcap);
    pkt_builder_free(builder);
    return (uint64_t)script.count * connections;
}

/* ---- readers -------------------------------------------------------------------------------------------------------- */

struct run { uint64_t packets, connections, failures; };

static struct capture_reader *open_reader(const char *path)
{
    char error[512];
    int filter_is_wrong;
    FILE *file = fopen(path, "rb");
    struct capture_reader *reader = file ? capture_open(file, NULL, &filter_is_wrong, error, sizeof error) : NULL;
    if (!reader)
        fail(file ? error : "no such file");
    return reader;
}

static struct run read_bare(const char *path)
{
    struct capture_reader *reader = open_reader(path);
    struct capture_frame frame;
    struct run run = { 0 };
    while (capture_read(reader, &frame) == CAPTURE_FRAME)
        run.packets++;
    capture_close(reader);
    return run;
}

static struct run read_parsed(const char *path)
{
    struct capture_reader *reader = open_reader(path);
    struct capture_frame frame;
    struct packet packet;
    struct run run = { 0 };
    while (capture_read(reader, &frame) == CAPTURE_FRAME)
        run.packets += frame.len > 14 && pkt_parse(frame.bytes + 14, frame.len - 14, &packet) == PKT_OK;
    capture_close(reader);
    return run;
}

static struct run read_judged(const char *path)
{
    struct capture_reader *reader = open_reader(path);
    struct inspection_counts counts;
    struct inspection *inspection = inspection_new(&(struct inspection_config){ .link = capture_link(reader) });
    if (!inspection)
        fail("out of memory");
    while (inspection_read(inspection, reader) == CAPTURE_FRAME)
        continue;
    inspection_finish(inspection);
    const struct inspection_report *report = inspection_report(inspection);
    inspection_count(report, &counts);
    const struct run run = { report->frames, report->connections, counts.failures };
    inspection_free(inspection);
    capture_close(reader);
    return run;
}

/* ---- measuring ------------------------------------------------------------------------------------------------------ */

struct reader { /* a function, or a command with %s for the file */
    const char *name;
    struct run (*read)(const char *path);
    const char *program, *command;
    struct run run;              /* what a function has found */
    double cpu_s, wall_s;        /* the best of all rounds */
    long memory_kib;
};

static struct reader readers[] = {
    { .name = "bare loop", .read = read_bare, .program = "" },
    { .name = "parsed, summed", .read = read_parsed, .program = "" },
    { .name = "check", .read = read_judged, .program = "" },
    { .name = "tcptrace", .program = "tcptrace", .command = "exec tcptrace -q '%s' >/dev/null 2>&1" },
    { .name = "tshark", .program = "tshark", .command = "exec tshark -n -r '%s' -q -z conv,tcp >/dev/null 2>&1" },
};
enum { READERS = sizeof readers / sizeof *readers, CHECK = 2 };

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* In the process of a reader of ours: one that has done nothing before, so that no memory is left of that. */
static int read_as_told(unsigned reader, const char *path)
{
    const struct run run = readers[reader].read(path);
    return write(STDOUT_FILENO, &run, sizeof run) == sizeof run ? 0 : 3;
}

static void run_child(unsigned reader, const char *path, int out)
{
    char command[1024], number[16];
    if (readers[reader].read) {
        dup2(out, STDOUT_FILENO);
        snprintf(number, sizeof number, "%u", reader);
        execl("/proc/self/exe", "capture_bench", "--reader", number, path, (char *)NULL);
        _exit(127);
    }
    snprintf(command, sizeof command, readers[reader].command, path);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static void measure(unsigned number, const char *path)
{
    struct reader *reader = &readers[number];
    struct rusage usage;
    int status = -1, channel[2];
    if (pipe(channel))
        fail("no pipe");
    const double start_s = now_s();
    const pid_t child = fork();
    if (child == 0)
        run_child(number, path, channel[1]);
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        fail("a reader could not be run");
    const double wall_s = now_s() - start_s, cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    if (reader->read && (status != 0 || read(channel[0], &reader->run, sizeof reader->run) != sizeof reader->run))
        fail(reader->name);
    close(channel[0]);
    close(channel[1]);
    if (status == 0 && (reader->cpu_s == 0 || cpu_s < reader->cpu_s))
        reader->cpu_s = cpu_s;
    if (status == 0 && (reader->wall_s == 0 || wall_s < reader->wall_s))
        reader->wall_s = wall_s;
    reader->memory_kib = usage.ru_maxrss;
}

static bool is_installed(const char *program)
{
    char command[128];
    snprintf(command, sizeof command, "command -v %s >/dev/null", program);
    return !program[0] || system(command) == 0;
}

static struct run compare(const char *path, int rounds)
{
    for (unsigned i = 0; i < READERS; i++)
        for (int round = 0; round < (readers[i].read ? rounds : 1) && is_installed(readers[i].program); round++)
            measure(i, path);
    const struct run run = readers[CHECK].run;
    printf("%llu packets, %llu connections, %llu violations\n%-16s %10s %10s %18s %18s %15s %12s\n",
           (unsigned long long)run.packets, (unsigned long long)run.connections, (unsigned long long)run.failures, "", "processor",
           "clock", "packets/s of it", "packets/s by clock", "of check's time", "at most");
    for (unsigned i = 0; i < READERS; i++)
        if (readers[i].cpu_s > 0)
            printf("%-16s %8.3f s %8.3f s %18.0f %18.0f %15.2f %8ld KiB\n", readers[i].name, readers[i].cpu_s, readers[i].wall_s,
                   (double)run.packets / readers[i].cpu_s, (double)run.packets / readers[i].wall_s,
                   readers[i].cpu_s / readers[CHECK].cpu_s, readers[i].memory_kib);
    return run;
}

int main(int argc, char **argv)
{
    char path[] = "/tmp/capture-bench-XXXXXX";
    if (argc == 4 && !strcmp(argv[1], "--reader"))
        return read_as_told((unsigned)atoi(argv[2]) % READERS, argv[3]);
    const int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;
    const bool given = argc > 1 && access(argv[1], R_OK) == 0;
    const unsigned connections = argc > 1 && !given ? (unsigned)atoi(argv[1]) : CONNECTIONS;
    const int fd = given ? -1 : mkstemp(path);
    if (!given && (fd < 0 || !write_capture(path, connections)))
        fail("no temporary file");
    const struct run run = compare(given ? argv[1] : path, rounds);
    if (!given) {
        close(fd);
        unlink(path);
    }
    return run.failures && !given;
}
