/* The dictionaries of the text harnesses, made of the tables that the parsers themselves have, and of what has no table: the
 * syntax. `dictionaries FOLDER` says which of FOLDER/NAME.dict are not as they should be (a test runs it, so that they cannot rot);
 * `dictionaries --write FOLDER` makes them so.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/catalogue.h"
#include "engine/packet/state.h"
#include "engine/scenario/names.h"
#include "reports/results.h"
#include "targets/tap/pixit.h"

enum { WORDS_MAX = 1000 };
#define COUNT_OF(table) (sizeof(table) / sizeof *(table))

struct words { char *list[WORDS_MAX]; size_t count; };

/* ---- words that no table has ------------------------------------------------------------------------------------- */

static const char *const scenario_syntax[] = {
    " = -1 ", "!=", "!P", "$x", "%{", "&&", "*/", "+0...+1 ", "+0~+1 ", "--define=", "--ip_version=",
    "--tolerance_usecs=", "..", "...", "/*", "//: ", "//: title x\n", "0x", "2001:db8::1", "200ms", "<...>", "<<",
    "<=", "<mss 1460>", "==", ">=", ">>", "@b", "@b[1]", "AF_INET", "GREv0",
    "MAY", "MUST", "SHOULD", "[S]", "\\\"", "\\x", "\n+0 < S", "\n+0 > S. 0:0(0) ack 1", "`", "ack",
    "address ", "any", "assert", "at", "bad", "body", "both", "ceb", "covers ", "e0b", "e1b", "each", "ecr", "either",
    "encap", "endpoint ", "fence", "fill", "flags", "gather", "good", "gre", "htons(", "id", "in", "incarnation",
    "inet_addr(\"", "ip ", "ipv4", "ipv4 1.2.3.4 > 5.6.7.8:", "isn ", "killed-by ", "label", "len", "let", "level ",
    "link", "mpls", "msg_iov(1)=", "never", "or", "patience ", "postamble", "preamble", "profile ", "psp", "purpose ",
    "raw", "repeat", "setting ", "spi", "state", "title ", "to ", "tolerance ", "udp", "urg", "val", "wait", "win",
    "with", "||", "}%", "skip", "epoll_create", "sendmsg", "writev",
};

static const char *const results_syntax[] = {
    "\"type\"", "\"run\"", "\"test\"", "\"end\"", "\"schema\"", "\"tcpassay\"", "\"target\"", "\"name\"",
    "\"description\"", "\"pixit\"", "\"started\"", "\"seed\"", "\"profile\"", "\"selectors\"", "\"planned\"",
    "\"duration_ns\"", "\"finished\"", "\"id\"", "\"title\"", "\"verdict\"", "\"reason\"", "\"covers\"", "\"level\"",
    "\"findings\"", "\"known\"", "\"known_note\"", "\"reruns\"", "\"file\"", "\"line\"", "\"pcap\"", "\"trace\"",
    "\"rule\"", "\"requirement\"", "\"message\"", "\"expected\"", "\"observed\"", "\"at_ns\"", "\"segment\"",
    "\"kind\"", "\"index\"", "\"step\"", "\"text\"", "\"sent\"", "\"received\"", "\"call\"", "\"return\"", "\"state\"",
    "\"note\"", "\"dropped\"", "\"tests\"", "\"summary\"",
};

static const char *const http_requests[] = {
    "GET ", "HEAD ", "PUT ", "POST ", "DELETE ", "/bytes/", "/sha256/", "/index.html", "%20", "%00", "..", "?", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "Host: a\r\n",
    "Content-Length: ", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n", "\r\n\r\n",
    "\r\n", "0\r\n\r\n", "a\r\n", "18446744073709551615", "ffffffffffffffff", ";x=y",
};

static const char *const http_answers[] = {
    "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 204 No Content\r\n", "HTTP/1.1 304 Not Modified\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n", "HTTP/1.1 ", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n",
    "Connection: keep-alive\r\n",
    "\r\n\r\n", "\r\n", "\n", "0\r\n\r\n", "a\r\n", "18446744073709551615", "ffffffffffffffff", ";x=y", "gzip, chunked", "\x1b[31m",
};

static const char *const pixit_values[] = {
    "192.0.2.2", "2001:db8::2", "fe80::1", "/24", "/64", "+50", "+4294967295", "02:00:00:00:00:01", "yes", "no", "dgram", "stream", "own", "192.0.2.2:65535",
    "[2001:db8::2]:1", "2.5", "0.000001", "65535", ",", "\\,", "=", "tap0",
};

static const char *const target_file_syntax[] = {
    "target = ", "tap:", "unix:", "remote:", "reference", "linux", "saboteur:", " = ", "\n", "# ", "\t", "\r\n",
};

/* ---- a dictionary ------------------------------------------------------------------------------------------------ */

static void add(struct words *w, const char *word)
{
    if (w->count == WORDS_MAX || !(w->list[w->count] = strdup(word))) {
        fputs("dictionaries: too many words\n", stderr);
        exit(3);
    }
    w->count++;
}

static void add_all(struct words *w, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(w, list[i]);
}

/* The word in the place of the %s. */
static void add_as(struct words *w, const char *format, const char *word)
{
    char text[200];
    const char *place = strstr(format, "%s");
    snprintf(text, sizeof text, "%.*s%s%s", (int)(place - format), format, word, place + 2);
    add(w, text);
}

static void scenario(struct words *w)
{
    add_all(w, scenario_syntax, COUNT_OF(scenario_syntax));
    add_all(w, scn_ip_words, scn_ip_word_count);
    add_all(w, scn_option_words, scn_option_word_count);
    add_all(w, scn_need_words, scn_need_word_count);
    add_all(w, scn_link_words, scn_link_word_count);
    add_all(w, scn_profile_words, scn_profile_word_count);
    add_all(w, scn_icmp_words, scn_icmp_word_count);
    add_all(w, scn_errno_words, scn_errno_word_count);
    add_all(w, scn_call_words, scn_call_word_count);
    add_all(w, scn_function_words, scn_function_word_count);
    for (unsigned key = 0; key < SCN_KEY_COUNT; key++)
        add(w, scn_key_name((enum scn_key)key));
    for (unsigned state = 0; state < TCP_STATE_COUNT; state++)
        add(w, tcp_state_name((enum tcp_state)state));
}

static void results(struct words *w)
{
    add_all(w, results_syntax, COUNT_OF(results_syntax));
    for (unsigned verdict = 0; verdict < VERDICT_COUNT; verdict++)
        add_as(w, "\"%s\"", verdict_text((enum verdict)verdict));
    for (unsigned level = LEVEL_MUST; level < LEVEL_COUNT; level++)
        add_as(w, "\"%s\"", requirement_level_text((enum requirement_level)level));
}

static void http(struct words *w)
{
    add_all(w, http_requests, COUNT_OF(http_requests));
}

static void probe_answer(struct words *w)
{
    add_all(w, http_answers, COUNT_OF(http_answers));
}

static void pixit(struct words *w)
{
    add_all(w, pixit_values, COUNT_OF(pixit_values));
    for (const struct pixit_key *key = pixit_keys; key->name; key++)
        add_as(w, ",%s=", key->name);
}

static void target_file(struct words *w)
{
    add_all(w, target_file_syntax, COUNT_OF(target_file_syntax));
    add_all(w, pixit_values, COUNT_OF(pixit_values));
    for (const struct pixit_key *key = pixit_keys; key->name; key++)
        add_as(w, "\n%s = ", key->name);
}

static const struct dictionary { const char *name; void (*fill)(struct words *); } dictionaries[] = {
    {"scenario", scenario}, {"results", results}, {"http", http}, {"probe_answer", probe_answer}, {"pixit", pixit}, {"target_file", target_file},
};

/* ---- files ------------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_word(FILE *out, const char *word)
{
    putc('"', out);
    for (; *word; word++)
        if (*word == '"' || *word == '\\')
            fprintf(out, "\\%c", *word);
        else if (isprint((unsigned char)*word))
            putc(*word, out);
        else
            fprintf(out, "\\x%02x", (unsigned char)*word);
    fputs("\"\n", out);
}

/* The text of a dictionary, malloc'ed: words in order, each once. */
static char *text_of(const struct dictionary *dictionary, size_t *len)
{
    struct words w = {.count = 0};
    char *text = NULL;
    dictionary->fill(&w);
    qsort(w.list, w.count, sizeof *w.list, compare);
    FILE *out = open_memstream(&text, len);
    if (!out)
        exit(3);
    fprintf(out, "# Made by fuzz/dictionaries.c of the parsers' own tables: change those, then `ninja fuzz_dictionaries`.\n");
    for (size_t i = 0; i < w.count; i++) {
        if (i == 0 || strcmp(w.list[i], w.list[i - 1]) != 0)
            print_word(out, w.list[i]);
    }
    fclose(out);
    for (size_t i = 0; i < w.count; i++)
        free(w.list[i]);
    return text;
}

static bool is_in(const char *path, const char *text, size_t len)
{
    char *there = malloc(len + 1);
    FILE *file = fopen(path, "rb");
    const bool same = there && file && fread(there, 1, len + 1, file) == len && memcmp(there, text, len) == 0;
    if (file)
        fclose(file);
    free(there);
    return same;
}

static bool write_to(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "wb");
    bool ok = file && fwrite(text, 1, len, file) == len;
    if (file)
        ok &= fclose(file) == 0;
    return ok;
}

int main(int argc, char **argv)
{
    const bool writes = argc == 3 && !strcmp(argv[1], "--write");
    int failed = 0;
    if (argc != 2 + writes) {
        fprintf(stderr, "usage: %s [--write] FOLDER\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < COUNT_OF(dictionaries); i++) {
        char path[4096];
        size_t len;
        char *text = text_of(&dictionaries[i], &len);
        snprintf(path, sizeof path, "%s/%s.dict", argv[1 + writes], dictionaries[i].name);
        if (!is_in(path, text, len) && !(writes && write_to(path, text, len))) {
            fprintf(stderr, "%s: not what the tables say; `ninja fuzz_dictionaries` writes it anew\n", path);
            failed = 1;
        }
        free(text);
    }
    return failed;
}
