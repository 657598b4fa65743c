/* No false alarm: spoils captures as capturing spoils them, and wants `check` to find nothing all the same.
 *
 *     mutate-harmless [--keep FOLDER] [--quick] CAPTURE-OR-FOLDER…
 *
 * A capture may miss packets, begin late, end early, keep only the beginning of each, see them overtake each other or come twice,
 * be taken on another kind of link, and be dated by a clock that jumps. None of that is the fault of an endpoint. From each
 * capture, captures are derived that show such a thing, by a seed that is always the same; a finding of a MUST in any of them is a
 * false alarm, if there was none in the capture itself (that too is one: the captures are of stacks that conform).
 * --keep writes captures with false alarms into a folder. Exit 1: there were false alarms.
 *
 * One kind is only counted: a frame swapped with one of the peer. A capture of two queues of a network card may show that, but then
 * no ACK can be said to come before what it acknowledges.
 */
#include <assert.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "engine/capture/test/mutate-inspect.h"
#include "engine/packet/checksum.h"
#include "engine/packet/test/random.h"

enum { TOLD_MAX = 12, SAMPLES = 120, SAMPLES_QUICK = 12, ARENA_BLOCK = 1 << 20 };

struct arena { /* bytes of changed frames; all are freed together */
    uint8_t *blocks[64];
    size_t used, count;
};

enum { KINDS_MAX = 32 };

struct bench {
    const char *path, *keep;
    uint32_t samples;
    struct frames original, derived;
    struct arena arena;
    struct random random;
    unsigned told;
    struct { uint64_t captures, alarms; } counts[KINDS_MAX];
};

struct kind {
    const char *name;
    /* Makes bench->derived of bench->original; n counts up. False: that was all. */
    bool (*derive)(struct bench *b, uint32_t n);
    bool only_counted;
};

static uint8_t *arena_take(struct arena *arena, size_t len)
{
    assert(len <= ARENA_BLOCK);
    if (arena->count == 0 || arena->used + len > ARENA_BLOCK) {
        if (arena->count == sizeof arena->blocks / sizeof *arena->blocks ||
            (arena->blocks[arena->count] = malloc(ARENA_BLOCK)) == NULL) {
            fputs("out of memory\n", stderr);
            exit(1);
        }
        arena->count++;
        arena->used = 0;
    }
    arena->used += len;
    return arena->blocks[arena->count - 1] + arena->used - len;
}

static void arena_release(struct arena *arena)
{
    while (arena->count > 0)
        free(arena->blocks[--arena->count]);
    arena->used = 0;
}

/* The nth of so many samples out of [0, count): all when there are few. False: there is no nth. */
static bool sample(const struct bench *b, uint32_t n, size_t count, size_t *out)
{
    if (count > b->samples && n < b->samples)
        *out = (size_t)n * count / b->samples;
    else
        *out = n;
    return n < b->samples && *out < count;
}

static bool same_direction(const struct bench *b, size_t i, size_t j)
{
    struct packet one, other;
    size_t offset;
    return frames_packet(&b->original, i, &one, &offset) && frames_packet(&b->original, j, &other, &offset) &&
           pkt_addr_equal(&one.ip.src, &other.ip.src) && one.kind == PKT_KIND_TCP && other.kind == PKT_KIND_TCP &&
           one.tcp.src_port == other.tcp.src_port && one.tcp.dst_port == other.tcp.dst_port;
}

/* ---- ways to spoil a capture ------------------------------------------------------------------------------------ */

static bool as_it_is(struct bench *b, uint32_t n)
{
    frames_copy(&b->derived, &b->original);
    return n == 0;
}

static bool one_missing(struct bench *b, uint32_t n)
{
    size_t i;
    if (!sample(b, n, b->original.count, &i))
        return false;
    frames_copy(&b->derived, &b->original);
    frames_remove(&b->derived, i);
    return true;
}

static bool three_missing(struct bench *b, uint32_t n)
{
    size_t i;
    if (!sample(b, n, b->original.count > 2 ? b->original.count - 2 : 0, &i))
        return false;
    frames_copy(&b->derived, &b->original);
    for (int k = 0; k < 3; k++)
        frames_remove(&b->derived, i);
    return true;
}

static bool share_missing(struct bench *b, uint32_t n, uint32_t permille)
{
    frames_copy(&b->derived, &b->original);
    for (size_t i = b->derived.count; i-- > 0;)
        if (random_below(&b->random, 1000) < permille)
            frames_remove(&b->derived, i);
    return n < b->samples / 6;
}
static bool missing_1(struct bench *b, uint32_t n) { return share_missing(b, n, 10); }
static bool missing_5(struct bench *b, uint32_t n) { return share_missing(b, n, 50); }
static bool missing_20(struct bench *b, uint32_t n) { return share_missing(b, n, 200); }
static bool missing_50(struct bench *b, uint32_t n) { return share_missing(b, n, 500); }

static bool begins_late(struct bench *b, uint32_t n)
{
    size_t i;
    if (!sample(b, n, b->original.count, &i))
        return false;
    frames_copy(&b->derived, &b->original);
    b->derived.count -= i;
    memmove(b->derived.at, b->derived.at + i, b->derived.count * sizeof *b->derived.at);
    return true;
}

static bool ends_early(struct bench *b, uint32_t n)
{
    size_t i;
    if (!sample(b, n, b->original.count, &i))
        return false;
    frames_copy(&b->derived, &b->original);
    b->derived.count = i;
    return true;
}

static bool one_side(struct bench *b, uint32_t n)
{
    struct packet first, packet;
    size_t offset, i = 0;
    frames_copy(&b->derived, &b->original);
    while (i < b->original.count && !frames_packet(&b->original, i, &first, &offset))
        i++;
    for (i = b->derived.count; i-- > 0;)
        if (frames_packet(&b->original, i, &packet, &offset) && (pkt_addr_equal(&packet.ip.src, &first.ip.src) ? 0 : 1) != n)
            frames_remove(&b->derived, i);
    return n < 2;
}

/* One frame comes to stand a few places later, behind others of its own direction only, or behind any. */
static bool overtaken(struct bench *b, uint32_t n, size_t places, bool across)
{
    size_t i;
    if (!sample(b, n, b->original.count, &i))
        return false;
    frames_copy(&b->derived, &b->original);
    size_t to = i;
    while (to + 1 < b->original.count && to < i + places && (across || same_direction(b, i, to + 1)))
        to++;
    frames_move(&b->derived, i, to);
    return true;
}
static bool overtaken_by_one(struct bench *b, uint32_t n) { return overtaken(b, n, 1, false); }
static bool overtaken_by_five(struct bench *b, uint32_t n) { return overtaken(b, n, 5, false); }
static bool swapped_across(struct bench *b, uint32_t n) { return overtaken(b, n, 1, true); }

static bool shuffled(struct bench *b, uint32_t n)
{
    frames_copy(&b->derived, &b->original);
    for (size_t i = 0; i + 1 < b->derived.count; i++) {
        size_t to = i;
        const size_t places = random_below(&b->random, 100) < 7 ? 1 + random_below(&b->random, 4) : 0;
        while (to + 1 < b->derived.count && to < i + places && same_direction(b, i, to + 1))
            to++;
        if (to != i)
            frames_move(&b->derived, i, to);
    }
    return n < b->samples / 6;
}

static bool doubled(struct bench *b, uint32_t n, size_t later)
{
    size_t i;
    if (!sample(b, n, b->original.count, &i))
        return false;
    frames_copy(&b->derived, &b->original);
    const size_t to = i + 1 + later < b->original.count ? i + 1 + later : b->original.count;
    struct frame copy = b->original.at[i];
    copy.at_ns = b->original.at[to - 1].at_ns;
    frames_insert(&b->derived, to, copy);
    return true;
}
static bool doubled_at_once(struct bench *b, uint32_t n) { return doubled(b, n, 0); }
static bool doubled_later(struct bench *b, uint32_t n) { return doubled(b, n, 4); }

static bool cut_short(struct bench *b, uint32_t n)
{
    static const uint32_t lengths[] = { 40, 54, 60, 68, 74, 80, 96, 128, 256 };
    if (n >= sizeof lengths / sizeof *lengths)
        return false;
    frames_copy(&b->derived, &b->original);
    for (size_t i = 0; i < b->derived.count; i++)
        if (b->derived.at[i].len > lengths[n])
            b->derived.at[i].len = lengths[n];
    return true;
}

static bool clock_jumps(struct bench *b, uint32_t n)
{
    static const int64_t jumps_ns[] = { 3600000000000, -3600000000000, 700000000, -700000000, -5000000 };
    if (n >= 4 * sizeof jumps_ns / sizeof *jumps_ns)
        return false;
    frames_copy(&b->derived, &b->original);
    for (size_t i = b->original.count * (1 + n % 4) / 5; i < b->derived.count; i++)
        b->derived.at[i].at_ns += jumps_ns[n / 4];
    return true;
}

static bool clock_stands_still(struct bench *b, uint32_t n)
{
    frames_copy(&b->derived, &b->original);
    for (size_t i = 0; i < b->derived.count; i++)
        b->derived.at[i].at_ns = n == 0 ? 0 : b->original.at[0].at_ns;
    return n < 2;
}

/* Without its Ethernet header, or with a VLAN tag. */
static bool other_link(struct bench *b, uint32_t n)
{
    if (b->original.link != DLT_EN10MB || n >= 2)
        return false;
    frames_copy(&b->derived, &b->original);
    if (n == 0)
        b->derived.link = DLT_RAW;
    for (size_t i = b->derived.count; i-- > 0;) {
        struct frame *f = &b->derived.at[i];
        struct packet packet;
        size_t offset;
        if (n == 1) {
            uint8_t *tagged = arena_take(&b->arena, f->len + 4);
            memcpy(tagged, f->bytes, 12);
            memcpy(tagged + 12, "\x81\x00\x00\x07", 4);
            memcpy(tagged + 16, f->bytes + 12, f->len - 12);
            *f = (struct frame){ f->at_ns, f->len + 4, f->wire_len + 4, tagged };
        } else if (frames_packet(&b->original, i, &packet, &offset)) {
            *f = (struct frame){ f->at_ns, f->len - (uint32_t)offset, f->wire_len - (uint32_t)offset, f->bytes + offset };
        } else {
            frames_remove(&b->derived, i);
        }
    }
    return true;
}

static void put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 3; i >= 0; i--, value >>= 8)
        to[i] = (uint8_t)value;
}

static uint32_t get_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* Adds to a 32-bit number in a segment, and keeps its checksum as right, or as wrong, as it is (RFC 1624). */
static void add_u32(uint8_t *number, uint32_t amount, uint8_t *checksum, bool odd)
{
    const uint32_t old = get_u32(number), new = old + amount;
    uint32_t sum = (uint32_t)(checksum[0] << 8 | checksum[1]);
    uint32_t change = (~old >> 16) + (~old & 0xffff) + (new >> 16) + (new & 0xffff);
    change = (change & 0xffff) + (change >> 16);
    change = (change & 0xffff) + (change >> 16);
    if (odd)
        change = (change >> 8 | change << 8) & 0xffff;
    sum = (~sum & 0xffff) + change;
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
    checksum[0] = (uint8_t)(sum >> 8);
    checksum[1] = (uint8_t)sum;
    put_u32(number, new);
}

static void renumber_sack(uint8_t *tcp, const struct pkt_tcp *t, uint32_t amount)
{
    uint8_t cursor = 0;
    struct pkt_option option;
    while (pkt_option_next(t->options, t->options_len, &cursor, &option) == PKT_OPTION_OK)
        for (uint8_t k = 0; option.kind == PKT_OPT_SACK && k + 4 <= option.data_len; k = (uint8_t)(k + 4))
            add_u32(tcp + 20 + option.offset + 2 + k, amount, tcp + 16, (option.offset & 1) != 0);
}

/* The same with sequence numbers that begin elsewhere, so that they wrap somewhere on the way. */
static bool renumbered(struct bench *b, uint32_t n)
{
    static const uint32_t places[] = { 0, 1, 2, 1000, 5000, 12000 };
    struct packet packet;
    struct pkt_endpoint first = { .port = 0 };
    uint32_t starts[2] = { 0, 0 };
    size_t offset;
    bool known[2] = { false, false };
    if (n >= sizeof places / sizeof *places)
        return false;
    frames_copy(&b->derived, &b->original);
    for (size_t i = 0; i < b->derived.count; i++) {
        if (!frames_packet(&b->original, i, &packet, &offset) || packet.kind != PKT_KIND_TCP) {
            if (packet.kind == PKT_KIND_FRAGMENT)
                return false;
            continue;
        }
        if (!known[0] && !known[1])
            first = (struct pkt_endpoint){ packet.ip.src, packet.tcp.src_port };
        const bool from_first = pkt_addr_equal(&first.addr, &packet.ip.src) && first.port == packet.tcp.src_port;
        const bool to_first = pkt_addr_equal(&first.addr, &packet.ip.dst) && first.port == packet.tcp.dst_port;
        if (from_first == to_first)
            continue;
        const unsigned side = from_first ? 0 : 1;
        if (!known[side]) {
            starts[side] = (0u - places[n]) - packet.tcp.seq;
            known[side] = true;
        }
        if (!known[!side] && (packet.tcp.flags & PKT_ACK)) {
            starts[!side] = (0u - places[n]) - packet.tcp.ack;
            known[!side] = true;
        }
        struct frame *f = &b->derived.at[i];
        uint8_t *bytes = memcpy(arena_take(&b->arena, f->len), f->bytes, f->len);
        uint8_t *tcp = bytes + offset + packet.ip.header_len;
        f->bytes = bytes;
        if (!(packet.tcp.flags & PKT_RST) || packet.tcp.seq != 0)
            add_u32(tcp + 4, starts[side], tcp + 16, false);
        if (packet.tcp.flags & PKT_ACK) {
            add_u32(tcp + 8, starts[!side], tcp + 16, false);
            renumber_sack(tcp, &packet.tcp, starts[!side]);
        }
    }
    return true;
}

static const struct kind kinds[] = {
    { "as it is", as_it_is, false },
    { "one frame missing", one_missing, false },
    { "three frames missing", three_missing, false },
    { "1 % missing", missing_1, false },
    { "5 % missing", missing_5, false },
    { "20 % missing", missing_20, false },
    { "50 % missing", missing_50, false },
    { "begins late", begins_late, false },
    { "ends early", ends_early, false },
    { "one side only", one_side, false },
    { "overtaken by one", overtaken_by_one, false },
    { "overtaken by five", overtaken_by_five, false },
    { "7 % overtaken", shuffled, false },
    { "swapped with a frame of the peer", swapped_across, true },
    { "doubled at once", doubled_at_once, false },
    { "doubled later", doubled_later, false },
    { "cut short", cut_short, false },
    { "clock jumps", clock_jumps, false },
    { "clock stands still", clock_stands_still, false },
    { "another link", other_link, false },
    { "renumbered", renumbered, false },
};

enum { KINDS = sizeof kinds / sizeof *kinds };
static_assert(sizeof kinds / sizeof *kinds <= KINDS_MAX, "room for the counts of each kind");

/* ---- judging them ------------------------------------------------------------------------------------------------ */

static void keep(const struct bench *b, const struct kind *kind, uint32_t n)
{
    char path[600];
    const char *base = strrchr(b->path, '/');
    uint8_t *bytes;
    snprintf(path, sizeof path, "%s/%s-%u-%s.pcap", b->keep, kind->name, n, base == NULL ? b->path : base + 1);
    for (char *c = path; *c != '\0'; c++)
        *c = *c == ' ' ? '_' : *c;
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return;
    const size_t len = frames_write(&b->derived, &bytes);
    fwrite(bytes, 1, len, file);
    fclose(file);
    free(bytes);
}

static void judge(struct bench *b, size_t k, uint32_t n)
{
    const struct kind *kind = &kinds[k];
    struct inspection *inspection = inspect(&b->derived);
    const struct held_finding *finding = first_failure(inspection);
    b->counts[k].captures++;
    if (finding != NULL) {
        b->counts[k].alarms++;
        if (!kind->only_counted && b->told++ < TOLD_MAX) {
            printf("%s: %s #%u: frame %u, %s (%s): %s\n", b->path, kind->name, n, finding->segment, finding->requirement,
                   rule_at(finding->rule)->name, finding->message);
            if (b->keep != NULL)
                keep(b, kind, n);
        }
    }
    inspection_free(inspection);
}

static void try_all(struct bench *b)
{
    for (size_t i = 0; i < KINDS; i++) {
        b->random = (struct random){ 9293 };
        b->told = 0;
        for (uint32_t n = 0; kinds[i].derive(b, n); n++) {
            judge(b, i, n);
            arena_release(&b->arena);
        }
        arena_release(&b->arena);
    }
}

static int summary(const struct bench *b)
{
    uint64_t captures = 0, alarms = 0;
    for (size_t i = 0; i < KINDS; i++) {
        printf("%-36s %8llu captures, %llu with a false alarm\n", kinds[i].name, (unsigned long long)b->counts[i].captures,
               (unsigned long long)b->counts[i].alarms);
        captures += b->counts[i].captures;
        alarms += kinds[i].only_counted ? 0 : b->counts[i].alarms;
    }
    printf("%-36s %8llu captures, %llu with a false alarm\n", "all", (unsigned long long)captures, (unsigned long long)alarms);
    return alarms == 0 && captures > 0 ? 0 : 1;
}

static bool try_capture(void *context, const char *path)
{
    struct bench *b = context;
    b->path = path;
    if (!frames_read(path, &b->original))
        return false;
    try_all(b);
    frames_free(&b->original);
    return true;
}

int main(int argc, char **argv)
{
    struct bench b = { .samples = SAMPLES };
    bool read = true;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--keep") == 0 && i + 1 < argc)
            b.keep = argv[++i];
        else if (strcmp(argv[i], "--quick") == 0)
            b.samples = SAMPLES_QUICK;
        else
            read = captures_each(argv[i], try_capture, &b) && read;
    }
    frames_free(&b.derived);
    return summary(&b) != 0 || !read ? 1 : 0;
}
