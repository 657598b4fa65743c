/* Fuzzes the readers of small files and answers: a target's ledger, an agent's key file, a server's answer to `serve --status`, the
 * head of a stored finding. The first octet says which; the rest is the file. A crash would let a file that somebody sent, or
 * another user's socket in /tmp, stop tcpassay; "broken", that it shows a terminal what it must not, or refuses without a word. */
#include "engine/cli/serve_view.h"
#include "engine/fuzz/finding.h"
#include "engine/runner/ledger.h"
#include "fuzz/input.h"
#include "targets/agent/key.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file that has a name but is on no disk; made once, and written anew for each input. */
static const char *file_of(const uint8_t *data, size_t size)
{
    static char path[64];
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        must(fd >= 0 && fchmod(fd, S_IRUSR | S_IWUSR) == 0, "a file in memory");
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    must(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size, "a file is written");
    return path;
}

static void fuzz_ledger(const uint8_t *data, size_t size)
{
    static struct result_finding findings[] = {
        {.rule = "ack-below-rcv-nxt", .requirement = "RFC9293:MUST-2", .level = LEVEL_MUST, .message = "m", .expected = "e", .observed = "o"},
        {.rule = "no-such-rule", .requirement = "RFC9293:MUST-3", .level = LEVEL_SHOULD, .message = "m", .expected = "e", .observed = "o"},
    };
    const struct result_test test = {
        .id = "rfc9293/3.10.7.1/reset", .title = "t", .verdict = VERDICT_FAIL, .reason = "r", .findings = findings, .finding_count = 2};
    char error[256] = "";
    struct ledger *ledger = ledger_read(file_of(data, size), error, sizeof error);
    must(ledger || *error, "a refusal says why");
    if (ledger) {
        const char *known = ledger_find(ledger, &test, true);
        must(!known || strlen(known) < size, "what is known stands in the ledger");
    }
    ledger_free(ledger);
}

static void fuzz_key(const uint8_t *data, size_t size)
{
    uint8_t key[AGENT_KEY_BYTES];
    struct target_error error;
    must(agent_key_read(file_of(data, size), key, &error) || *error.text, "a refusal says why");
}

static void fuzz_status(const uint8_t *data, size_t size)
{
    char *text = NULL;
    size_t len = 0;
    json_t *document = serve_view_read((const char *)data, size);
    if (!document)
        return;
    FILE *out = open_memstream(&text, &len);
    must(out, "memory for what is shown");
    const struct page page = page_for(out);
    serve_view_show(&page, document);
    fclose(out);
    json_decref(document);
    for (size_t i = 0; i < len; i++)
        must(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'), "nothing that disturbs a terminal is shown");
    free(text);
}

static void fuzz_finding(const uint8_t *data, size_t size)
{
    struct finding_head head;
    if (finding_read_head(file_of(data, size), &head))
        must(memchr(head.target, '\0', sizeof head.target) && *head.target, "a finding names its target");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const readers[])(const uint8_t *, size_t) = {fuzz_ledger, fuzz_key, fuzz_status, fuzz_finding};
    if (size > 0)
        readers[data[0] % 4](data + 1, size - 1);
    return 0;
}
