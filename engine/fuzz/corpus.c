/* The corpus of a campaign (see corpus.h).
 *
 * Theory of operation. For each feature: how many plays had it, and the cheapest input that has. The features seen so far are
 * listed, so that one can be drawn. An input is never dropped; since one is kept for a feature again only when it costs at most
 * half, a feature keeps at most as many inputs as its cost has binary digits. */
#include "engine/fuzz/corpus.h"

#include "engine/fuzz/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FEATURES_DRAWN = 6, BLIND_ONE_IN = 32, HASH_DIGITS = 16, FAILURE_TEXT_MAX = 600 };

struct feature { uint64_t hits; uint32_t cheapest; /* an input's index */ };

struct corpus {
    char *folder;
    struct corpus_input *inputs;
    size_t count, capacity, bytes;
    struct feature *features;
    uint32_t feature_bound;
    uint32_t *seen;            /* the features with hits, in the order in which they came */
    uint32_t seen_count;
    char failure[FAILURE_TEXT_MAX];
    bool blind;
    uint64_t blind_random;
    size_t owed;               /* blind: inputs that deserved to be kept, and for which none was drawn yet */
};

static uint64_t stir(uint64_t *random) /* splitmix64 */
{
    uint64_t z = *random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t corpus_hash(const uint8_t *octets, size_t len) /* FNV-1a, and a last stir */
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ octets[i]) * UINT64_C(0x100000001b3);
    hash = (hash ^ hash >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 32;
}

/* ---- life cycle */

struct corpus *corpus_new(const char *folder, uint32_t feature_count, char *error, size_t error_size)
{
    struct corpus *c = calloc(1, sizeof *c);
    if (c) {
        c->feature_bound = feature_count;
        c->folder = folder ? strdup(folder) : NULL;
        c->features = calloc(feature_count + 1u, sizeof *c->features);
        c->seen = calloc(feature_count + 1u, sizeof *c->seen);
    }
    if (!c || !c->features || !c->seen || (folder && !c->folder)) {
        snprintf(error, error_size, "out of memory");
        corpus_free(c);
        return NULL;
    }
    if (folder && store_make_folder(folder, error, error_size) < 0) {
        corpus_free(c);
        return NULL;
    }
    return c;
}

void corpus_free(struct corpus *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        free(c->inputs[i].octets);
    free(c->inputs);
    free(c->features);
    free(c->seen);
    free(c->folder);
    free(c);
}

/* ---- files */

static bool is_hash(const char *name, uint64_t *hash)
{
    char *end;
    if (strspn(name, "0123456789abcdef") != HASH_DIGITS || name[HASH_DIGITS])
        return false;
    *hash = strtoull(name, &end, 16);
    return true;
}

/* Why this is no input, or NULL. */
static const char *why_not(const char *name, const uint8_t *octets, size_t len)
{
    uint64_t hash;
    if (len == 0)
        return "it is empty";
    if (len > SCN_BYTES_MAX)
        return "it is longer than any input";
    if (is_hash(name, &hash))
        return corpus_hash(octets, len) == hash ? NULL : "it is damaged: what it holds is not what its name says";
    return scn_bytes_is_magic(octets, len) ? NULL : "it is no input: it does not begin with TAB and a version";
}

struct loading { corpus_take *take; corpus_skipped *skipped; void *context; };

static bool load_file(const struct loading *loading, const char *folder, const char *name)
{
    char path[4096];
    uint8_t octets[SCN_BYTES_MAX + 1];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const bool regular = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    ssize_t len = regular ? read(fd, octets, sizeof octets) : -1;
    const char *why = fd < 0 ? strerror(errno) : !regular ? "it is no file" : len < 0 ? strerror(errno) : why_not(name, octets, (size_t)len);
    if (fd >= 0)
        close(fd);
    if (!why)
        return loading->take(loading->context, octets, (size_t)len);
    loading->skipped(loading->context, path, why);
    return true;
}

static int is_visible(const struct dirent *entry)
{
    const size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && !(len > 4 && !strcmp(entry->d_name + len - 4, ".new")); /* cut short once */
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int corpus_load(const struct corpus *c, corpus_take *take, corpus_skipped *skipped, void *context, char *error, size_t error_size)
{
    const struct loading loading = {take, skipped, context};
    struct dirent **names;
    int count = c->folder ? scandir(c->folder, &names, is_visible, by_name) : 0;
    if (count < 0) {
        snprintf(error, error_size, "%s: %s", c->folder, strerror(errno));
        return -1;
    }
    if (!c->folder)
        return 0;
    bool goes_on = true;
    for (int i = 0; i < count; i++) {
        goes_on = goes_on && load_file(&loading, c->folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return 0;
}

static void store(struct corpus *c, const struct corpus_input *input)
{
    char path[4096];
    if (!c->folder)
        return;
    snprintf(path, sizeof path, "%s/%016llx", c->folder, (unsigned long long)input->hash);
    if (access(path, F_OK) != 0)
        store_write(path, input->octets, input->len, c->failure, sizeof c->failure);
}

const char *corpus_failure(const struct corpus *c)
{
    return *c->failure ? c->failure : NULL;
}

/* ---- keeping */

/* Is there something new, or something for half the price? */
static bool is_wanted(const struct corpus *c, const uint32_t *features, size_t count, uint64_t cost)
{
    for (size_t i = 0; i < count; i++) {
        const struct feature *f = &c->features[features[i]];
        if (f->hits == 0 || (!c->blind && cost <= c->inputs[f->cheapest].cost / 2))
            return true;
    }
    return false;
}

static bool make_room(struct corpus *c, size_t len)
{
    if (c->count == CORPUS_INPUTS_MAX || c->bytes + len > CORPUS_BYTES_MAX)
        return false;
    if (c->count < c->capacity)
        return true;
    size_t capacity = c->capacity ? 2 * c->capacity : 256;
    struct corpus_input *grown = realloc(c->inputs, capacity * sizeof *grown);
    if (!grown)
        return false;
    c->inputs = grown;
    c->capacity = capacity;
    return true;
}

static bool keep(struct corpus *c, const uint8_t *octets, size_t len, uint64_t cost)
{
    uint8_t *copy = make_room(c, len) ? malloc(len ? len : 1) : NULL;
    if (!copy)
        return false;
    memcpy(copy, octets, len);
    c->inputs[c->count] = (struct corpus_input){.octets = copy, .len = len, .hash = corpus_hash(octets, len), .cost = cost ? cost : 1};
    c->bytes += len;
    store(c, &c->inputs[c->count++]);
    return true;
}

void corpus_be_blind(struct corpus *c, uint64_t seed)
{
    c->blind = true;
    c->blind_random = seed;
}

/* Whether this one is kept has nothing to do with what it showed. */
static bool is_drawn(struct corpus *c, bool deserves_it)
{
    c->owed += deserves_it;
    if (c->owed == 0 || stir(&c->blind_random) % BLIND_ONE_IN)
        return false;
    c->owed--;
    return true;
}

/* Counts the features; kept: the newest input is offered for each as the cheapest. */
static void count_features(struct corpus *c, const uint32_t *features, size_t count, bool kept)
{
    const uint32_t newest = (uint32_t)(c->count - 1);
    for (size_t i = 0; i < count; i++) {
        struct feature *f = &c->features[features[i]];
        if (f->hits == 0 && !kept && !c->blind)
            continue; /* there was no room for an input that has it */
        if (f->hits == 0)
            c->seen[c->seen_count++] = features[i];
        if (kept && !c->blind && (f->hits == 0 || c->inputs[newest].cost < c->inputs[f->cheapest].cost))
            f->cheapest = newest;
        f->hits++;
    }
}

bool corpus_offer(struct corpus *c, const uint8_t *octets, size_t len, const uint32_t *features, size_t feature_count,
                  uint64_t cost)
{
    const bool deserves_it = is_wanted(c, features, feature_count, cost), wanted = c->blind ? is_drawn(c, deserves_it) : deserves_it;
    const bool kept = wanted && keep(c, octets, len, cost);
    count_features(c, features, feature_count, kept);
    return kept;
}

/* ---- choosing */

const struct corpus_input *corpus_any(const struct corpus *c, uint64_t random)
{
    return c->count ? &c->inputs[stir(&random) % c->count] : NULL;
}

const struct corpus_input *corpus_choose(struct corpus *c, uint64_t random)
{
    if (c->count == 0)
        return NULL;
    size_t index = stir(&random) % c->count;
    if (c->seen_count && !c->blind && stir(&random) % 4) {
        const struct feature *rarest = NULL;
        for (unsigned i = 0; i < FEATURES_DRAWN; i++) {
            const struct feature *f = &c->features[c->seen[stir(&random) % c->seen_count]];
            if (!rarest || f->hits < rarest->hits)
                rarest = f;
        }
        index = rarest->cheapest;
    }
    c->inputs[index].chosen++;
    return &c->inputs[index];
}

/* ---- counts */

size_t corpus_count(const struct corpus *c)
{
    return c->count;
}

const struct corpus_input *corpus_at(const struct corpus *c, size_t index)
{
    return &c->inputs[index];
}

uint32_t corpus_features(const struct corpus *c, uint32_t below)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->seen_count; i++)
        count += c->seen[i] < below;
    return count;
}

uint64_t corpus_hits(const struct corpus *c, uint32_t feature)
{
    return c->features[feature].hits;
}
