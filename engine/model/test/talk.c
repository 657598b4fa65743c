/* See talk.h. */
#include "engine/model/test/talk.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

enum { PAYLOAD_MAX = 65000, WORD_MAX = 64 };

/* ---- reading a line ---------------------------------------------------------------------------------------------- */

static void take_blanks(const char **at)
{
    while (**at == ' ' || **at == ',')
        (*at)++;
}

/* The next word, of letters, digits and a leading sign; "" at the end. */
static void take_word(const char **at, char word[static WORD_MAX])
{
    size_t len = 0;
    take_blanks(at);
    while (**at != '\0' && !strchr(" ,<>:+", **at) && len + 1 < WORD_MAX)
        word[len++] = *(*at)++;
    word[len] = '\0';
}

static uint32_t take_number(const char **at, uint32_t base)
{
    char word[WORD_MAX];
    take_word(at, word);
    bool absolute = word[0] == '=';
    char *end;
    long long number = strtoll(word + absolute, &end, 10);
    if (end == word + absolute || *end != '\0')
        fail_msg("not a number: \"%s\"", word);
    return (absolute ? 0 : base) + (uint32_t)number;
}

static uint16_t flags_of(const char *letters)
{
    static const struct { char letter; uint16_t flag; } table[] = {
        {'F', PKT_FIN}, {'S', PKT_SYN}, {'R', PKT_RST}, {'P', PKT_PSH}, {'.', PKT_ACK}, {'U', PKT_URG},
        {'E', PKT_ECE}, {'W', PKT_CWR}, {'A', PKT_AE}, {'-', 0}, {'1', 0x200}, {'2', 0x400}, {'4', 0x800},
    };
    unsigned flags = 0;
    for (; *letters; letters++) {
        size_t i = 0;
        while (i < COUNT(table) && table[i].letter != *letters)
            i++;
        if (i == COUNT(table))
            fail_msg("not a flag: '%c'", *letters);
        flags |= table[i].flag;
    }
    return (uint16_t)flags;
}

/* ---- options ------------------------------------------------------------------------------------------------------- */

static void put_raw(struct pkt_option_buffer *b, const char **at)
{
    for (;;) {
        take_blanks(at);
        if (!isxdigit((unsigned char)**at))
            return;
        char *end;
        b->bytes[b->len++] = (uint8_t)strtoul(*at, &end, 16);
        *at = end;
    }
}

static void put_fastopen(struct pkt_option_buffer *b, const char **at)
{
    uint8_t cookie[PKT_FASTOPEN_COOKIE_MAX] = {0};
    uint8_t len = 0;
    take_blanks(at);
    for (; isxdigit((unsigned char)**at) && len < sizeof cookie; *at += 2)
        cookie[len++] = (uint8_t)strtoul((char[]){(*at)[0], (*at)[1], '\0'}, NULL, 16);
    pkt_put_fastopen(b, cookie, len);
}

static void put_sack(struct pkt_option_buffer *b, const char **at, uint32_t base)
{
    uint32_t blocks[PKT_SACK_BLOCKS_MAX][2];
    unsigned count = 0;
    for (take_blanks(at); (isdigit((unsigned char)**at) || **at == '-' || **at == '=') && count < PKT_SACK_BLOCKS_MAX;
         take_blanks(at)) {
        blocks[count][0] = take_number(at, base);
        assert_int_equal(**at, ':');
        (*at)++;
        blocks[count++][1] = take_number(at, base);
    }
    pkt_put_sack(b, (const uint32_t(*)[2])blocks, count);
}

static void put_option(struct pkt_option_buffer *b, const char **at, uint32_t ack_base)
{
    char name[WORD_MAX];
    take_word(at, name);
    if (!strcmp(name, "mss")) {
        pkt_put_mss(b, (uint16_t)take_number(at, 0));
    } else if (!strcmp(name, "wscale")) {
        pkt_put_wscale(b, (uint8_t)take_number(at, 0));
    } else if (!strcmp(name, "sackOK")) {
        pkt_put_sack_permitted(b);
    } else if (!strcmp(name, "TS")) {
        uint32_t val = take_number(at, 0), ecr = take_number(at, 0);
        pkt_put_timestamp(b, val, ecr);
    } else if (!strcmp(name, "sack")) {
        put_sack(b, at, ack_base);
    } else if (!strcmp(name, "fastopen")) {
        put_fastopen(b, at);
    } else if (!strcmp(name, "nop")) {
        pkt_put_nop(b);
    } else if (!strcmp(name, "eol")) {
        pkt_put_eol(b);
    } else if (!strcmp(name, "raw")) {
        put_raw(b, at);
    } else {
        fail_msg("not an option: \"%s\"", name);
    }
}

static void take_options(const char **at, uint32_t ack_base, struct pkt_option_buffer *b)
{
    for (take_blanks(at); **at != '>'; take_blanks(at)) {
        if (**at == '\0')
            fail_msg("options end with '>'");
        put_option(b, at, ack_base);
    }
    (*at)++;
}

/* ---- packets --------------------------------------------------------------------------------------------------------- */

uint8_t talk_octet(uint32_t number)
{
    return (uint8_t)(number * 2654435761u >> 24);
}

static void take_rest(const char *at, uint32_t ack_base, struct pkt_spec *spec, struct pkt_option_buffer *options)
{
    char word[WORD_MAX];
    for (take_blanks(&at); *at != '\0'; take_blanks(&at)) {
        if (*at == '<') {
            at++;
            take_options(&at, ack_base, options);
            continue;
        }
        take_word(&at, word);
        if (!strcmp(word, "ack"))
            spec->ack = take_number(&at, ack_base);
        else if (!strcmp(word, "win"))
            spec->window = (uint16_t)take_number(&at, 0);
        else if (!strcmp(word, "urg"))
            spec->urgent = (uint16_t)take_number(&at, 0);
        else
            fail_msg("not part of a line: \"%s\"", word);
    }
}

/* The packet of a line, built over the defaults of its direction; returns its length. */
static size_t build(const struct talk *t, struct pkt_spec spec, const char *line, uint32_t base, uint32_t ack_base, uint8_t *out,
                    size_t capacity)
{
    static uint8_t payload[PAYLOAD_MAX];
    struct pkt_option_buffer options = {0};
    char word[WORD_MAX];
    take_word(&line, word);
    spec.flags = flags_of(word);
    spec.seq = take_number(&line, base);
    if (*line == '+') {
        line++;
        spec.payload_len = take_number(&line, 0);
    }
    assert_in_range(spec.payload_len, 0, PAYLOAD_MAX);
    take_rest(line, ack_base, &spec, &options);
    for (uint32_t i = 0, first = spec.seq - base + (spec.flags & PKT_SYN ? 1 : 0); i < spec.payload_len; i++)
        payload[i] = talk_octet(first + i);
    spec.payload = t->payload ? t->payload : payload;
    spec.options = options.bytes;
    spec.options_len = options.len;
    ssize_t len = pkt_build(t->builder, &spec, out, capacity);
    if (len < 0)
        fail_msg("%s", pkt_builder_error(t->builder));
    return (size_t)len;
}

static void note(void *context, const struct judge_finding *finding)
{
    struct talk *t = context;
    assert_in_range(t->finding_count, 0, TALK_FINDINGS_MAX - 1);
    struct talk_finding *f = &t->findings[t->finding_count++];
    *f = (struct talk_finding){.rule = finding->rule, .segment = finding->segment, .needs = finding->needs};
    snprintf(f->requirement, sizeof f->requirement, "%s", finding->requirement);
    snprintf(f->text, sizeof f->text, "%s", finding->message);
}

void talk_begin(struct talk *t)
{
    if (!t->judge)
        t->judge = judge_new(&t->config);
    assert_non_null(t->judge);
}

static void tell(struct talk *t, bool inwards, const char *line)
{
    static uint8_t bytes[PKT_BYTES_MAX];
    struct packet packet;
    uint32_t peer = t->peer_iss, iut = t->iut_iss;
    size_t len = inwards ? build(t, t->in, line, peer, iut, bytes, sizeof bytes) : build(t, t->out, line, iut, peer, bytes, sizeof bytes);
    assert_int_equal(pkt_parse(bytes, len, &packet), PKT_OK);
    talk_begin(t);
    t->index++;
    if (inwards)
        judge_input(t->judge, &packet, !t->cut_short, t->now_ns, t->index);
    else
        judge_output(t->judge, &packet, !t->cut_short, t->now_ns - t->early_ns, t->now_ns, t->index);
}

void talk_in(struct talk *t, const char *line)
{
    tell(t, true, line);
}

void talk_out(struct talk *t, const char *line)
{
    tell(t, false, line);
}

void talk_call(struct talk *t, enum judge_call_kind kind, int64_t amount)
{
    talk_begin(t);
    judge_call(t->judge, &(struct judge_call){.kind = kind, .amount = amount}, t->now_ns);
}

void talk_wait(struct talk *t, int64_t ns)
{
    talk_begin(t);
    t->now_ns += ns;
    judge_time(t->judge, t->now_ns);
}

/* ---- whole talks --------------------------------------------------------------------------------------------------- */

static struct pkt_spec direction(const struct pkt_endpoint *from, const struct pkt_endpoint *to)
{
    return (struct pkt_spec){.protocol = PKT_PROTO_TCP, .src = from->addr, .dst = to->addr, .src_port = from->port,
                             .dst_port = to->port, .window = 65535, .dont_fragment = true};
}

struct talk *talk_new(void)
{
    struct talk *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->builder = pkt_builder_new();
    assert_non_null(t->builder);
    t->host = (struct judge_host){.link = JUDGE_SYNCHRONOUS, .mtu = 1500, .granularity_ns = 10000000, .latency_ns = 10000000};
    t->config = (struct judge_config){.host = &t->host, .report = note, .context = t, .states = 1u << TCP_STATE_CLOSED | 1u << TCP_STATE_LISTEN};
    t->config.iut.port = 80;
    t->config.peer.port = 40000;
    assert_true(pkt_addr_parse("192.0.2.1", &t->config.iut.addr));
    assert_true(pkt_addr_parse("192.0.2.2", &t->config.peer.addr));
    t->iut_iss = 0xfffffc00;
    t->peer_iss = 0xffffff00;
    t->in = direction(&t->config.peer, &t->config.iut);
    t->out = direction(&t->config.iut, &t->config.peer);
    t->now_ns = 1000000000;
    return t;
}

void talk_again(struct talk *t)
{
    judge_free(t->judge);
    t->judge = NULL;
    t->finding_count = 0;
    t->index = 0;
    t->early_ns = 0;
    t->host.challenge_count = 0;
}

void talk_free(struct talk *t)
{
    judge_free(t->judge);
    pkt_builder_free(t->builder);
    free(t);
}

static const char *with(char *line, size_t capacity, const char *start, const char *options)
{
    snprintf(line, capacity, "%s <%s>", start, options ? options : "");
    return line;
}

void talk_open(struct talk *t, const char *peer_options, const char *iut_options)
{
    char line[TALK_TEXT_MAX];
    talk_in(t, with(line, sizeof line, "S 0", peer_options));
    talk_out(t, with(line, sizeof line, "S. 0 ack 1", iut_options));
}

void talk_connect(struct talk *t, const char *iut_options, const char *peer_options)
{
    char line[TALK_TEXT_MAX];
    talk_out(t, with(line, sizeof line, "S 0", iut_options));
    talk_in(t, with(line, sizeof line, "S. 0 ack 1", peer_options));
}

/* ---- what was found ------------------------------------------------------------------------------------------------ */

bool talk_found(const struct talk *t, enum rule_id rule)
{
    for (unsigned i = 0; i < t->finding_count; i++)
        if (t->findings[i].rule == rule)
            return true;
    return false;
}

const struct talk_finding *talk_finding(const struct talk *t, enum rule_id rule)
{
    for (unsigned i = 0; i < t->finding_count; i++)
        if (t->findings[i].rule == rule)
            return &t->findings[i];
    fail_msg("%s was not found", rule_at(rule)->name);
    return NULL;
}

void talk_expect_nothing(const struct talk *t)
{
    for (unsigned i = 0; i < t->finding_count; i++)
        print_message("line %" PRIu32 ": %s: %s\n", t->findings[i].segment, rule_at(t->findings[i].rule)->name,
                      t->findings[i].text);
    assert_int_equal(t->finding_count, 0);
}

void talk_expect(const struct talk *t, enum rule_id rule)
{
    for (unsigned i = 0; i < t->finding_count; i++)
        if (t->findings[i].rule != rule || t->findings[i].segment != t->index)
            fail_msg("line %" PRIu32 " broke %s (%s), not line %" PRIu32 " %s", t->findings[i].segment,
                     rule_at(t->findings[i].rule)->name, t->findings[i].text, t->index, rule_at(rule)->name);
    if (!talk_found(t, rule))
        fail_msg("line %" PRIu32 " did not break %s", t->index, rule_at(rule)->name);
}

/* ---- tables --------------------------------------------------------------------------------------------------------- */

static void play_call(struct talk *t, const char *at)
{
    static const struct { const char *name; enum judge_call_kind kind; } calls[] = {
        {"listen", JUDGE_CALL_LISTEN}, {"unlisten", JUDGE_CALL_UNLISTEN}, {"connect", JUDGE_CALL_CONNECT}, {"accept", JUDGE_CALL_ACCEPT},
        {"send", JUDGE_CALL_SEND}, {"receive", JUDGE_CALL_RECEIVE}, {"shutdown", JUDGE_CALL_SHUTDOWN}, {"close", JUDGE_CALL_CLOSE},
        {"abort", JUDGE_CALL_ABORT}, {"error", JUDGE_CALL_ERROR}};
    char name[WORD_MAX];
    take_word(&at, name);
    size_t i = 0;
    while (i < COUNT(calls) && strcmp(calls[i].name, name))
        i++;
    if (i == COUNT(calls))
        fail_msg("not a call: \"%s\"", name);
    talk_call(t, calls[i].kind, *at ? (int64_t)take_number(&at, 0) : 0);
}

static unsigned take_states(const char *at)
{
    unsigned states = 0;
    for (take_blanks(&at); *at; take_blanks(&at)) {
        char word[WORD_MAX];
        take_word(&at, word);
        enum tcp_state state = tcp_state_from_name(word);
        if (state == TCP_STATE_COUNT)
            fail_msg("not a state: \"%s\"", word);
        states |= 1u << state;
    }
    return states;
}

static void expect_states(struct talk *t, const char *names)
{
    unsigned states = judge_states(t->judge), expected = take_states(names);
    for (unsigned i = 0; i < TCP_STATE_COUNT; i++)
        if ((states ^ expected) & 1u << i)
            fail_msg("%s is %sone of the states it may be in", tcp_state_name((enum tcp_state)i), states & 1u << i ? "" : "not ");
}

static void play(struct talk *t, const char *line)
{
    talk_begin(t);
    if (line[0] == '<')
        talk_in(t, line + 1);
    else if (line[0] == '>')
        talk_out(t, line + 1);
    else if (line[0] == '+')
        talk_wait(t, strtoll(line + 1, NULL, 10) * 1000000);
    else if (line[0] == '~')
        t->early_ns = strtoll(line + 1, NULL, 10) * 1000000;
    else if (line[0] == '!')
        play_call(t, line + 1);
    else if (line[0] == '|')
        judge_fence(t->judge, t->now_ns);
    else if (line[0] == '=')
        judge_state(t->judge, (enum tcp_state)__builtin_ctz(take_states(line + 1)), t->now_ns);
    else if (line[0] == '?')
        expect_states(t, line + 1);
    else
        fail_msg("it begins with none of \"<>+~!|=?\": %s", line);
}

/* Of the last line, or, where that is none of the wire, of whatever was not answered. */
static void expect_at_the_end(const struct talk *t, enum rule_id rule, const char *last)
{
    if (last && (last[0] == '<' || last[0] == '>')) {
        talk_expect(t, rule);
        return;
    }
    for (unsigned i = 0; i < t->finding_count; i++)
        if (t->findings[i].rule != rule)
            fail_msg("%s is broken: %s", rule_at(t->findings[i].rule)->name, t->findings[i].text);
    talk_finding(t, rule);
}

void talk_rows(struct talk *t, const struct talk_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        print_message("  %s\n", rows[i].says);
        talk_again(t);
        const char *last = NULL;
        for (unsigned k = 0; t->preamble && t->preamble[k]; k++)
            play(t, t->preamble[k]);
        talk_expect_nothing(t);
        for (unsigned k = 0; k < TALK_ROW_LINES && rows[i].lines[k]; k++)
            play(t, last = rows[i].lines[k]);
        if (rows[i].broken == TALK_SOUND)
            talk_expect_nothing(t);
        else
            expect_at_the_end(t, (enum rule_id)rows[i].broken, last);
    }
}
