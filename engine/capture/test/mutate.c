/* No blind spot: alters one thing in one frame of a capture of conforming stacks, and wants `check` to name that frame.
 *
 *     mutate [--samples N] [--only TEXT] [--list] [--keep FOLDER] CAPTURE-OR-FOLDER…
 *
 * Each row of the table `mutations` (mutate-table.c) is a way to break a rule. A row looks at a frame, and at what the capture
 * showed before it, and says whether the alteration is certainly a violation there, whatever the capture may have missed besides;
 * if so it changes the segment, which is built anew with right checksums. N frames (6), spread over the capture, are altered in
 * turn, one at a time. The frame counts as found when a finding of a MUST (or, where the RFC says SHOULD, of that) names it and one
 * of the rules that the row lists.
 *
 * The report gives, for each row: how many alterations, how many found, found under another rule, missed, and how often the
 * endpoint was blamed that did nothing wrong; and the share that has to be found, of a thousand. It is 1000 for what the capture
 * alone makes certain; less where a capture cannot always tell: then the number keeps what is reached. Exit 1: a share was not
 * reached, or a wrong endpoint was blamed. --list tells each one; --keep writes what was missed into a folder; --only takes rows
 * whose name holds the text.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/capture/test/mutate-inspect.h"
#include "engine/capture/test/mutate-table.h"
#include "engine/packet/seq.h"

enum { REPEATS = 10, SAMPLES = 6 };

struct score { unsigned tried, found, otherwise, missed, blamed; };

struct run {
    unsigned samples;
    bool list;
    const char *keep, *only;
    struct score scores[MUTATIONS_MAX];
};

static bool lists(const char *rules, const char *name)
{
    const char *at = strstr(rules, name);
    const size_t len = strlen(name);
    return at != NULL && (at == rules || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' ');
}

static bool counts(const struct held_finding *f, bool deviation)
{
    return f->standing == FINDING_STANDS && (finding_is_failure(f->level) || (deviation && requirement_level_is_should(f->level)));
}

static void keep(const struct run *run, const struct scene *s, const struct mutation *m, uint32_t frame)
{
    char path[600];
    const char *base = strrchr(s->path, '/');
    uint8_t *bytes;
    snprintf(path, sizeof path, "%s/%s-%u-%s.pcap", run->keep, m->name, frame, base == NULL ? s->path : base + 1);
    for (char *c = path + strlen(run->keep); *c != '\0'; c++)
        *c = *c == ' ' || *c == ',' || *c == '^' ? '_' : *c;
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return;
    const size_t len = frames_write(&s->altered, &bytes);
    fwrite(bytes, 1, len, file);
    fclose(file);
    free(bytes);
}

/* The endpoint that a finding is about. */
static bool is_of(const struct inspection_report *report, const struct held_finding *f, const struct pkt_addr *addr, uint16_t port)
{
    for (uint32_t k = 0; k < report->listed; k++)
        if (report->connections_listed[k].number == f->connection)
            return same_end(&report->connections_listed[k].ends[f->side], addr, port);
    return false;
}

/* The endpoint that did nothing wrong was blamed: the first such finding, or NULL. */
static const struct held_finding *blamed(const struct inspection_report *report, const struct pkt_tcp *tcp, const struct pkt_ip *ip)
{
    for (uint32_t k = 1; k <= report->findings.count; k++)
        if (is_failure(&report->findings.held[k]) && !is_of(report, &report->findings.held[k], &ip->src, tcp->src_port))
            return &report->findings.held[k];
    return NULL;
}

static void judge(struct run *run, const struct scene *s, size_t m, const struct view *v, uint32_t frame, uint32_t last)
{
    const struct mutation *mutation = &mutations[m];
    struct score *score = &run->scores[m];
    struct inspection *inspection = inspect(&s->altered);
    const struct findings *findings = &inspection_report(inspection)->findings;
    const struct held_finding *named = NULL, *other = NULL, *withheld = NULL;
    for (uint32_t k = 1; k <= findings->count; k++) {
        const struct held_finding *f = &findings->held[k];
        const bool here = f->segment >= frame && f->segment <= last;
        if (here && counts(f, mutation->deviation)) {
            named = lists(mutation->rules, rule_at(f->rule)->name) ? f : named;
            other = f;
        } else if (here) {
            withheld = f;
        }
    }
    score->tried++;
    score->found += named != NULL;
    score->otherwise += named == NULL && other != NULL;
    score->missed += other == NULL;
    if (other == NULL && run->list)
        printf("MISSED %s: frame %u: %s%s%s\n", s->path, frame, mutation->name, withheld ? "; withheld: " : "",
               withheld ? rule_at(withheld->rule)->name : "");
    if (named != NULL && run->list)
        printf("FOUND %s: frame %u: %s: %s\n", s->path, frame, mutation->name, rule_at(named->rule)->name);
    if (named == NULL && other != NULL && run->list)
        printf("OTHERWISE %s: frame %u: %s: %s\n", s->path, frame, mutation->name, rule_at(other->rule)->name);
    const struct held_finding *blame = last == frame ? blamed(inspection_report(inspection), &v->packet.tcp, &v->packet.ip) : NULL;
    if (blame != NULL) {
        score->blamed++;
        if (run->list)
            printf("BLAMED %s: frame %u: %s: frame %u, %s: %s\n", s->path, frame, mutation->name, blame->segment,
                   rule_at(blame->rule)->name, blame->message);
    }
    if (run->keep != NULL && (other == NULL || blame != NULL))
        keep(run, s, mutation, frame);
    inspection_free(inspection);
}

/* Builds a segment into a frame behind the link header of frame i. False: no room. */
static bool build(struct scene *s, size_t i, struct draft *d, struct room *room, struct frame *out)
{
    const struct view *v = &s->views[i];
    uint8_t *bytes = room->bytes + room->used;
    if (room->used + v->offset > room->size)
        return false;
    memcpy(bytes, s->original.at[i].bytes, v->offset);
    d->spec.options = d->options.bytes;
    d->spec.options_len = d->options.len;
    d->spec.payload = d->payload;
    const ssize_t len = pkt_build(s->builder, &d->spec, bytes + v->offset, room->size - room->used - v->offset);
    if (len < 0)
        return false;
    *out = s->original.at[i];
    out->bytes = bytes;
    out->len = out->wire_len = (uint32_t)v->offset + (uint32_t)len;
    room->used += out->len;
    return true;
}

/* The answer of its receiver: an ACK of what came before. The link header stays that of the other direction: nobody looks at it. */
static void turn_round(const struct view *v, struct draft *d, uint32_t stamp, uint32_t echo)
{
    const struct pkt_spec was = d->spec;
    d->spec.src = was.dst;
    d->spec.dst = was.src;
    d->spec.src_port = was.dst_port;
    d->spec.dst_port = was.src_port;
    d->spec.flags = PKT_ACK;
    d->spec.seq = v->sides[!v->side].nxt;
    d->spec.ack = was.seq;
    d->spec.window = 500;
    d->spec.payload_len = 0;
    d->options = (struct pkt_option_buffer){ .len = 0 };
    pkt_put_nop(&d->options);
    pkt_put_nop(&d->options);
    pkt_put_timestamp(&d->options, stamp, echo);
}

static bool repeat(struct scene *s, size_t i, struct room *room)
{
    static struct draft draft;
    const struct view *v = &s->views[i];
    s->altered.count = i + 1;
    int64_t at_ns = s->original.at[i].at_ns, wait_ns = 250000000;
    for (uint32_t n = 1; n <= REPEATS; n++, wait_ns = wait_ns * 3 / 2) {
        struct frame again, answer;
        at_ns += wait_ns;
        const uint32_t ticks = (uint32_t)((at_ns - s->original.at[i].at_ns) / 1000000), stamp = v->options.ts_val + ticks;
        draft_from(v, &draft);
        put_u32(draft_option(&draft, PKT_OPT_TIMESTAMP) + 2, stamp);
        if (!build(s, i, &draft, room, &again))
            return false;
        turn_round(v, &draft, v->sides[!v->side].ts_max + ticks, stamp);
        if (!build(s, i, &draft, room, &answer))
            return false;
        again.at_ns = at_ns;
        answer.at_ns = at_ns + 1000000;
        frames_insert(&s->altered, s->altered.count, again);
        frames_insert(&s->altered, s->altered.count, answer);
    }
    return true;
}

/* The sender counts its packets (the identification of IPv4): behind one more, each has the next number. */
static bool count_on(struct scene *s, size_t i, size_t inserted, struct room *room)
{
    const struct view *v = &s->views[i];
    for (size_t k = i + 1; k < s->original.count && v->packet.ip.version == 4 && v->packet.ip.id != 0; k++) {
        const struct view *w = &s->views[k];
        const size_t at = k < inserted ? k : k + 1;
        struct frame *f = &s->altered.at[at];
        if (!same_sender(v, w) || at == inserted || w->packet.ip.id == 0)
            continue;
        if (room->used + f->len > room->size)
            return false;
        uint8_t *ip = room->bytes + room->used + w->offset;
        memcpy(room->bytes + room->used, f->bytes, f->len);
        const uint16_t id = (uint16_t)(w->packet.ip.id + 1);
        ip[4] = (uint8_t)(id >> 8);
        ip[5] = (uint8_t)id;
        ip[10] = ip[11] = 0;
        const uint16_t sum = pkt_checksum(ip, (size_t)(ip[0] & 15) * 4);
        ip[10] = (uint8_t)(sum >> 8);
        ip[11] = (uint8_t)sum;
        f->bytes = room->bytes + room->used;
        room->used += f->len;
    }
    return true;
}

static bool alter(struct scene *s, size_t i, struct draft *d, struct room *room)
{
    struct frame changed;
    room->used = 0;
    if (d->insert && d->spec.ip_id != 0)
        d->spec.ip_id++;
    if (!build(s, i, d, room, &changed))
        return false;
    frames_copy(&s->altered, &s->original);
    if (d->unanswered)
        return repeat(s, i, room);
    if (!d->insert) {
        s->altered.at[i] = changed;
        return true;
    }
    changed.at_ns += d->later_ns;
    size_t to = i + 1;
    while (to < s->altered.count && s->altered.at[to].at_ns <= changed.at_ns)
        to++;
    frames_insert(&s->altered, to, changed);
    return count_on(s, i, to, room);
}

static bool is_fit(const struct view *v) { return v->tcp && !v->twin; }

static void try_row(struct run *run, struct scene *s, size_t m)
{
    static struct draft draft;
    struct room *room = &s->room;
    size_t eligible = 0, taken = 0;
    for (size_t i = 0; i < s->original.count; i++) {
        if (is_fit(&s->views[i]) && (draft_from(&s->views[i], &draft), mutations[m].alter(s, i, &draft)))
            eligible++;
    }
    for (size_t i = 0, k = 0; i < s->original.count && eligible > 0; i++) {
        if (!is_fit(&s->views[i]) || (draft_from(&s->views[i], &draft), !mutations[m].alter(s, i, &draft)))
            continue;
        if (k++ * run->samples / eligible < taken || taken >= run->samples || !alter(s, i, &draft, room))
            continue;
        taken++;
        uint32_t frame = (uint32_t)i + 1, last = frame;
        for (size_t f = i; draft.insert && s->altered.at[f].bytes != room->bytes; f++)
            frame = last = (uint32_t)f + 2;
        if (draft.unanswered)
            last = (uint32_t)s->altered.count;
        judge(run, s, m, &s->views[i], frame, last);
    }
}

static bool try_capture(void *context, const char *path)
{
    struct run *run = context;
    struct scene s;
    if (!scene_open(&s, path, MUTATE_PAYLOAD_MAX + REPEATS * 4000))
        return false;
    struct inspection *inspection = inspect(&s.original);
    const bool clean = first_failure(inspection) == NULL;
    inspection_free(inspection);
    for (size_t m = 0; m < mutation_count && clean; m++)
        if (run->only == NULL || strstr(mutations[m].name, run->only) != NULL)
            try_row(run, &s, m);
    if (!clean)
        printf("LEFT OUT %s: not clean as it is\n", path);
    scene_close(&s);
    return clean;
}

static int summary(const struct run *run)
{
    struct score all = { 0 };
    bool failed = false;
    printf("%-40s %6s %7s %7s %9s %7s %7s\n", "alteration", "wanted", "tried", "found", "otherwise", "missed", "blamed");
    for (size_t m = 0; m < mutation_count; m++) {
        const struct score *c = &run->scores[m];
        const bool short_of = c->found * 1000 < c->tried * mutations[m].share;
        printf("%-40s %6u %7u %7u %9u %7u %7u%s\n", mutations[m].name, mutations[m].share, c->tried, c->found, c->otherwise,
               c->missed, c->blamed, short_of || c->blamed > 0 ? " !" : "");
        all = (struct score){all.tried + c->tried, all.found + c->found, all.otherwise + c->otherwise, all.missed + c->missed,
                             all.blamed + c->blamed};
        failed = failed || short_of || c->blamed > 0;
    }
    printf("%-40s %6s %7u %7u %9u %7u %7u\n", "all", "", all.tried, all.found, all.otherwise, all.missed, all.blamed);
    return failed || all.tried == 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct run run = { .samples = SAMPLES };
    bool read = true;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--samples") == 0 && i + 1 < argc)
            run.samples = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--keep") == 0 && i + 1 < argc)
            run.keep = argv[++i];
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            run.only = argv[++i];
        else if (strcmp(argv[i], "--list") == 0)
            run.list = true;
        else
            read = captures_each(argv[i], try_capture, &run) && read;
    }
    return summary(&run) != 0 || !read ? 1 : 0;
}
