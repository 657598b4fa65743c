/* The tests-suite as a seed corpus: `seeds SUITE OUT` writes the octets of every sub-test of every .pkt under SUITE into the folder
 * OUT, each once, named by a hash of it, so that the suite's octets need not lie in the repository.
 */
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/scenario/bytes/bytes.h"

struct tally { unsigned files, sub_tests, written; };

/* FNV-1a of 64 bits. */
static uint64_t hash_of(const uint8_t *octets, size_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ octets[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static bool write_seed(const char *folder, const uint8_t *octets, size_t len, struct tally *tally)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%016" PRIx64, folder, hash_of(octets, len));
    FILE *file = fopen(path, "wbx");
    if (!file && errno == EEXIST)
        return true;
    bool ok = file && fwrite(octets, 1, len, file) == len;
    if (file)
        ok &= fclose(file) == 0;
    if (!ok)
        perror(path);
    tally->written += ok;
    return ok;
}

static bool write_seeds(const char *folder, const struct scenario *scenario, struct tally *tally)
{
    static uint8_t octets[SCN_BYTES_MAX];
    for (unsigned i = 0; i < scn_variant_count(scenario); i++) {
        const size_t len = scn_bytes_encode(scenario, i, octets, NULL);
        tally->sub_tests++;
        if (len > SCN_BYTES_HEADER_LEN && !write_seed(folder, octets, len, tally))
            return false;
    }
    return true;
}

static int compare_names(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_scenario(const FTSENT *entry)
{
    const size_t len = entry->fts_namelen;
    return entry->fts_info == FTS_F && len > 4 && !strcmp(entry->fts_name + len - 4, ".pkt");
}

int main(int argc, char **argv)
{
    struct tally tally = {0};
    bool ok = true;
    if (argc != 3) {
        fprintf(stderr, "usage: %s SUITE OUT\n", argv[0]);
        return 2;
    }
    if (mkdir(argv[2], 0777) < 0 && errno != EEXIST) {
        perror(argv[2]);
        return 1;
    }
    FTS *walk = fts_open((char *[]){argv[1], NULL}, FTS_LOGICAL | FTS_NOCHDIR, compare_names);
    for (FTSENT *entry; ok && walk && (entry = fts_read(walk));) {
        struct scn_diagnostics diagnostics;
        struct scenario *scenario = is_scenario(entry) ? scn_parse_file(entry->fts_accpath, &diagnostics) : NULL;
        if (scenario) {
            tally.files++;
            ok = write_seeds(argv[2], scenario, &tally);
        }
        scn_free(scenario);
    }
    if (walk)
        fts_close(walk);
    printf("%u scenarios, %u sub-tests: %u seeds\n", tally.files, tally.sub_tests, tally.written);
    if (!tally.files)
        fprintf(stderr, "%s: no scenario is there\n", argv[1]);
    return ok && tally.files ? 0 : 1;
}
