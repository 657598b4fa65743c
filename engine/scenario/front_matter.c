/* Reads the lines that describe a scenario: `//:` keys and directives, and packetdrill's `--name=value` options.
 *
 * They are lines of key and value, so they are read by hand; the grammar only says where they stand.
 */
#include "engine/scenario/names.h"
#include "engine/scenario/parse.h"

#include <ctype.h>
#include <string.h>

/* ---- lines as words ---------------------------------------------------------------------------------------------- */

struct line { /* what is left of a line, and where it began */
    struct scn_parser *parser;
    const char *start; /* of the whole line, at which is its place */
    struct scn_at at;
    const char *next, *end;
};

static struct scn_at place_of(const struct line *line, const char *here)
{
    struct scn_at at = line->at;
    for (const char *c = line->start; c < here; c++)
        at.column += ((unsigned char)*c & 0xc0) != 0x80;
    return at;
}

static struct scn_piece next_word(struct line *line)
{
    while (line->next < line->end && isspace((unsigned char)*line->next))
        line->next++;
    const char *start = line->next;
    while (line->next < line->end && !isspace((unsigned char)*line->next))
        line->next++;
    return (struct scn_piece){ start, (unsigned)(line->next - start) };
}

/* The rest of the line without the blanks around it. */
static struct scn_piece rest_of(struct line *line)
{
    struct scn_piece word = next_word(line);
    const char *end = line->end;
    while (end > word.start && isspace((unsigned char)end[-1]))
        end--;
    line->next = line->end;
    return (struct scn_piece){ word.start, (unsigned)(end - word.start) };
}

/* The one word of the value; false, with an error, when there are more or none. */
static bool only_word(struct line *line, const char *expected, struct scn_piece *word)
{
    char quote[SCN_QUOTE_MAX];
    *word = next_word(line);
    if (word->len == 0) {
        scn_error(line->parser, place_of(line, word->start), "expected %s, found the end of the line", expected);
        return false;
    }
    const struct scn_piece more = next_word(line);
    if (more.len)
        scn_error(line->parser, place_of(line, more.start), "expected the end of the line, found `%s`", scn_quote(more, quote));
    return more.len == 0;
}

static void wrong_value(struct line *line, struct scn_piece found, const char *expected, const char *hint)
{
    char quote[SCN_QUOTE_MAX];
    scn_error(line->parser, place_of(line, found.start), "expected %s, found `%s`%s", expected, scn_quote(found, quote), hint);
}

/* Names that later lines are compared with are kept to a number that makes this quick. */
static bool has_room(struct scn_parser *parser, const struct scn_list *list, const char *what, struct scn_at at)
{
    enum { NAMES_MAX = 256 };
    if (list->count < NAMES_MAX)
        return true;
    scn_error(parser, at, "more than %d %s", NAMES_MAX, what);
    parser->stop = true;
    return false;
}

/* ---- the keys ---------------------------------------------------------------------------------------------------- */

static void read_title(struct line *line)
{
    const struct scn_piece text = rest_of(line);
    line->parser->scenario->title = scn_piece_copy(line->parser, text);
}

static void read_purpose(struct line *line)
{
    struct scn_parser *parser = line->parser;
    const char *before = parser->scenario->purpose;
    const struct scn_piece more = rest_of(line);
    parser->scenario->purpose = scn_arena_format(parser->arena, "%s%s%.*s", before ? before : "", before ? " " : "", (int)more.len, more.start);
}

static void read_words(struct line *line, struct scn_list *list)
{
    for (struct scn_piece word = next_word(line); word.len; word = next_word(line))
        scn_list_add(line->parser->arena, list, scn_piece_copy(line->parser, word));
}

static void read_covers(struct line *line)
{
    read_words(line, &line->parser->covers);
}

static void read_killed_by(struct line *line)
{
    read_words(line, &line->parser->killed_by);
}

static void read_level(struct line *line)
{
    struct scn_piece word;
    if (!only_word(line, "MUST, SHOULD or MAY", &word))
        return;
    enum scn_level *level = &line->parser->scenario->level;
    if (scn_piece_is(word, "MUST"))
        *level = SCN_LEVEL_MUST;
    else if (scn_piece_is(word, "SHOULD"))
        *level = SCN_LEVEL_SHOULD;
    else if (scn_piece_is(word, "MAY"))
        *level = SCN_LEVEL_MAY;
    else
        wrong_value(line, word, "MUST, SHOULD or MAY", "");
}

static void read_needs(struct line *line)
{
    char hint[SCN_HINT_MAX];
    for (struct scn_piece word = next_word(line); word.len && !line->parser->stop; word = next_word(line)) {
        const char *name = scn_piece_copy(line->parser, word);
        const unsigned need = scn_need_from_name(name);
        if (!need)
            wrong_value(line, word, "something a target can have, such as `listen` or `virtual-time`",
                        scn_hint(name, scn_need_words, scn_need_word_count, hint));
        line->parser->scenario->needs |= need;
    }
}

static void read_profile(struct line *line)
{
    struct scn_piece word;
    char hint[SCN_HINT_MAX];
    if (!only_word(line, "quick, full or soak", &word))
        return;
    const char *name = scn_piece_copy(line->parser, word);
    const int profile = scn_profile_from_name(name);
    if (profile < 0)
        wrong_value(line, word, "quick, full or soak", scn_hint(name, scn_profile_words, scn_profile_word_count, hint));
    else
        line->parser->scenario->profile = (enum scn_profile)profile;
}

static void read_ip(struct line *line)
{
    struct scn_piece word;
    if (!only_word(line, "4, 6 or both", &word))
        return;
    const bool both = scn_piece_is(word, "both");
    line->parser->scenario->ipv4 = both || scn_piece_is(word, "4");
    line->parser->scenario->ipv6 = both || scn_piece_is(word, "6");
    if (!line->parser->scenario->ipv4 && !line->parser->scenario->ipv6)
        wrong_value(line, word, "4, 6 or both", "");
    line->parser->seen_ip = true;
}

static void read_setting(struct line *line)
{
    struct scn_parser *parser = line->parser;
    const struct scn_piece name = next_word(line), value = rest_of(line);
    if (value.len == 0) {
        scn_error(parser, place_of(line, value.start), "expected the name of a setting and its value, found the end of the line");
        return;
    }
    if (!has_room(parser, &parser->settings, "settings", place_of(line, name.start)))
        return;
    struct scn_setting *setting = scn_arena_alloc(parser->arena, 1, sizeof *setting);
    *setting = (struct scn_setting){ scn_piece_copy(parser, name), scn_piece_copy(parser, value) };
    for (unsigned i = 0; i < parser->settings.count; i++)
        if (strcmp(((const struct scn_setting *)parser->settings.items[i])->name, setting->name) == 0)
            scn_error(parser, place_of(line, name.start), "the setting %.60s is given twice", setting->name);
    scn_list_add(parser->arena, &parser->settings, setting);
}

static void read_isn(struct line *line)
{
    struct scn_piece word;
    int64_t number;
    if (!only_word(line, "a number of 32 bits", &word))
        return;
    if (!scn_read_integer(word, &number) || number < 0 || number > UINT32_MAX) {
        wrong_value(line, word, "a number of 32 bits", "");
        return;
    }
    line->parser->scenario->isn = (uint32_t)number;
    line->parser->scenario->has_isn = true;
}

static void read_duration(struct line *line, int64_t *ns)
{
    enum { LONGEST_S = 366 * 86400 };
    struct scn_piece word;
    int64_t value;
    if (!only_word(line, "a time such as 2s or 200ms", &word))
        return;
    if (!scn_read_time(word, &value) || value > LONGEST_S * SCN_NS_PER_S)
        wrong_value(line, word, "a time such as 2s or 200ms", "");
    else
        *ns = value;
}

static void read_patience(struct line *line)
{
    read_duration(line, &line->parser->scenario->patience_ns);
}

static void read_tolerance(struct line *line)
{
    read_duration(line, &line->parser->scenario->tolerance_ns);
}

/* off "why": a scenario that is not judged says why. */
static void read_judge(struct line *line)
{
    const struct scn_piece word = next_word(line), why = rest_of(line);
    const struct scn_at at = place_of(line, why.start);
    if (!scn_piece_is(word, "off"))
        wrong_value(line, word, "off and the reason in quotes", "");
    else if (why.len < 3 || why.start[0] != '"' || why.start[why.len - 1] != '"')
        scn_error(line->parser, at, "expected the reason in quotes, as in `judge off \"why\"`");
    else
        line->parser->scenario->judge_off = scn_plain_text(line->parser, why, (struct scn_span){ .line = at.line, .column = at.column });
}

static bool is_name(struct scn_piece word)
{
    for (unsigned i = 0; i < word.len; i++)
        if (!isalnum((unsigned char)word.start[i]) && word.start[i] != '_')
            return false;
    return word.len > 0 && !isdigit((unsigned char)word.start[0]);
}

static bool read_small(struct line *line, int64_t least, const char *expected, unsigned *out)
{
    const struct scn_piece word = next_word(line);
    int64_t number;
    if (word.len && scn_read_integer(word, &number) && number >= least && number <= 65535) {
        *out = (unsigned)number;
        return true;
    }
    if (word.len)
        wrong_value(line, word, expected, "");
    else
        scn_error(line->parser, place_of(line, word.start), "expected %s, found the end of the line", expected);
    return false;
}

static void read_endpoint(struct line *line)
{
    static const char form[] = "NAME [address N] [to N]";
    struct scn_parser *parser = line->parser;
    struct scn_piece name = next_word(line);
    if (name.len && name.start[0] == '@')
        name = (struct scn_piece){ name.start + 1, name.len - 1 };
    if (!is_name(name)) {
        wrong_value(line, name, form, "");
        return;
    }
    const char *at_name = scn_piece_copy(parser, name);
    for (unsigned i = 0; i < parser->declared.count; i++)
        if (strcmp(parser->declared.items[i], at_name) == 0)
            scn_error(parser, place_of(line, name.start), "the endpoint %.60s is declared twice", at_name);
    scn_list_add(parser->arena, &parser->declared, scn_piece_copy(parser, name));
    const unsigned slot = scn_endpoint_slot(parser, (struct scn_piece){ name.start - 1, name.len + 1 }, place_of(line, name.start));
    struct scn_endpoint *endpoint = parser->endpoints.items[slot];
    for (struct scn_piece word = next_word(line); word.len; word = next_word(line)) {
        if (scn_piece_is(word, "address") ? !read_small(line, 1, "the number of an address, from 1", &endpoint->address_index)
            : scn_piece_is(word, "to") ? !read_small(line, 0, "the number of a port of the IUT, from 0", &endpoint->port_index) : true) {
            if (!scn_piece_is(word, "address") && !scn_piece_is(word, "to"))
                wrong_value(line, word, form, "");
            return;
        }
    }
}

static const struct key {
    const char *name;
    bool repeats;
    void (*read)(struct line *line);
} keys[] = {
    { "title", false, read_title }, { "purpose", true, read_purpose }, { "covers", true, read_covers }, { "level", false, read_level },
    { "needs", true, read_needs }, { "killed-by", true, read_killed_by }, { "profile", false, read_profile }, { "ip", false, read_ip },
    { "setting", true, read_setting }, { "isn", false, read_isn }, { "patience", false, read_patience },
    { "tolerance", false, read_tolerance }, { "endpoint", true, read_endpoint }, { "judge", false, read_judge },
};
enum { KEY_COUNT = sizeof keys / sizeof *keys };

/* ---- directives -------------------------------------------------------------------------------------------------- */

static const char *const phases[] = { "body", "preamble", "postamble" }; /* in the order of enum scn_phase */
enum { PHASE_COUNT = 3 };

static int phase_from(struct scn_piece word)
{
    for (int i = 0; i < PHASE_COUNT; i++)
        if (scn_piece_is(word, phases[i]))
            return i;
    return -1;
}

static void add_phase(struct line *line, int phase, struct scn_span at)
{
    struct scn_parser *parser = line->parser;
    char quote[SCN_QUOTE_MAX];
    const struct scn_piece more = next_word(line);
    if (more.len)
        scn_error(parser, place_of(line, more.start), "expected the end of the line, found `%s`", scn_quote(more, quote));
    struct scn_step *step = scn_new_step(parser, SCN_STEP_PHASE);
    step->phase = (enum scn_phase)phase;
    parser->seen_phase = true;
    scn_add_step(parser, step, at);
}

static void add_covers(struct line *line, struct scn_span at)
{
    struct scn_parser *parser = line->parser;
    struct scn_list ids = { 0 };
    read_words(line, &ids);
    struct scn_step *step = scn_new_step(parser, SCN_STEP_COVERS);
    step->covers.ids = (const char **)ids.items;
    step->covers.count = ids.count;
    scn_add_step(parser, step, at);
}

static void unknown_key(struct line *line, struct scn_piece word)
{
    const char *names[KEY_COUNT + PHASE_COUNT];
    char hint[SCN_HINT_MAX], quote[SCN_QUOTE_MAX];
    for (unsigned i = 0; i < KEY_COUNT; i++)
        names[i] = keys[i].name;
    memcpy(names + KEY_COUNT, phases, sizeof phases);
    scn_hint(scn_piece_copy(line->parser, word), names, KEY_COUNT + PHASE_COUNT, hint);
    scn_error(line->parser, place_of(line, word.start), "unknown directive `%s`%s", scn_quote(word, quote), hint);
}

static void read_key(struct line *line, const struct key *key, struct scn_piece word)
{
    struct scn_parser *parser = line->parser;
    const unsigned bit = 1u << (key - keys);
    if (parser->seen_step) {
        scn_error(parser, place_of(line, word.start), "`%s` describes the whole scenario and stands before its first step",
                  key->name);
        return;
    }
    if ((parser->keys_seen & bit) && !key->repeats) {
        scn_error(parser, place_of(line, word.start), "`%s` is given twice", key->name);
        return;
    }
    parser->keys_seen |= bit;
    struct line value = *line;
    if (next_word(&value).len == 0)
        scn_error(parser, place_of(line, line->end), "expected a value for `%s`, found the end of the line", key->name);
    else
        key->read(line);
}

void scn_directive(struct scn_parser *parser, struct scn_piece piece, struct scn_span at)
{
    const char *colon = memchr(piece.start, ':', piece.len);
    struct line line = { parser, piece.start, scn_place(at), colon + 1, piece.start + piece.len };
    const struct scn_piece word = next_word(&line);
    scn_piece_text(parser, piece, scn_place(at));
    if (!parser->scenario->has_front_matter)
        parser->first_directive = place_of(&line, piece.start + (colon - piece.start) - 2);
    parser->scenario->has_front_matter = true;
    if (word.len == 0) {
        scn_error(parser, place_of(&line, word.start), "expected a key behind `//:`, found the end of the line");
        return;
    }
    const int phase = phase_from(word);
    const bool is_covers = scn_piece_is(word, "covers") && (parser->seen_step || parser->seen_phase);
    if (parser->nesting > 0 && (phase >= 0 || is_covers)) {
        scn_error(parser, place_of(&line, word.start), "a directive stands outside of all blocks");
        return;
    }
    if (phase >= 0) {
        add_phase(&line, phase, at);
        return;
    }
    if (is_covers) {
        if (next_word(&(struct line){ parser, line.start, line.at, line.next, line.end }).len == 0)
            scn_error(parser, place_of(&line, line.end), "expected requirement ids behind `covers`, found the end of the line");
        add_covers(&line, at);
        return;
    }
    for (unsigned i = 0; i < KEY_COUNT; i++) {
        if (scn_piece_is(word, keys[i].name)) {
            read_key(&line, &keys[i], word);
            return;
        }
    }
    unknown_key(&line, word);
}

/* ---- packetdrill's options --------------------------------------------------------------------------------------- */

static const struct option_name { const char *name; bool has_value; } option_names[] = {
    { "ip_version", true }, { "bind_port", true }, { "code_command", true }, { "code_format", true }, { "code_sockopt", true },
    { "connect_port", true }, { "remote_ip", true }, { "local_ip", true }, { "gateway_ip", true }, { "netmask_ip", true }, { "speed", true },
    { "mss", true }, { "mtu", true }, { "init_scripts", true }, { "tolerance_usecs", true }, { "tolerance_percent", true },
    { "wire_client", false }, { "wire_server", false }, { "wire_server_ip", true }, { "wire_server_at", true }, { "wire_server_port", true },
    { "wire_client_dev", true }, { "wire_server_dev", true }, { "so_filename", true }, { "so_flags", true }, { "tcp_ts_ecr_scaled", false },
    { "tcp_ts_tick_usecs", true }, { "strict_segments", false }, { "non_fatal", true }, { "dry_run", false }, { "is_anyip", false },
    { "send_omit_free", false }, { "psp_udp_port", true }, { "debug", false }, { "define", true }, { "verbose", false },
};
enum { OPTION_COUNT = sizeof option_names / sizeof *option_names };

static const struct option_name *find_option(struct scn_parser *parser, struct scn_piece name, struct scn_span at)
{
    const char *names[OPTION_COUNT];
    char hint[SCN_HINT_MAX], quote[SCN_QUOTE_MAX];
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (scn_piece_is(name, option_names[i].name))
            return &option_names[i];
        names[i] = option_names[i].name;
    }
    scn_hint(scn_piece_copy(parser, name), names, OPTION_COUNT, hint);
    scn_error(parser, scn_place(at), "packetdrill has no option `--%s`%s", scn_quote(name, quote), hint);
    return NULL;
}

static void add_define(struct scn_parser *parser, struct scn_piece text, struct scn_span at)
{
    const char *equals = memchr(text.start, '=', text.len);
    if (!equals || equals == text.start || equals + 1 == text.start + text.len) {
        scn_error(parser, scn_place(at), "expected --define=NAME=VALUE");
        return;
    }
    if (!has_room(parser, &parser->defines, "definitions", scn_place(at)))
        return;
    struct scn_define *define = scn_arena_alloc(parser->arena, 1, sizeof *define);
    define->name = (struct scn_piece){ text.start, (unsigned)(equals - text.start) };
    define->value = (struct scn_piece){ equals + 1, text.len - define->name.len - 1 };
    scn_list_add(parser->arena, &parser->defines, define);
}

static void use_ip_version(struct scn_parser *parser, struct scn_piece value, struct scn_span at)
{
    char quote[SCN_QUOTE_MAX];
    const bool six = scn_piece_is(value, "ipv6");
    if (!six && !scn_piece_is(value, "ipv4") && !scn_piece_is(value, "ipv4-mapped-ipv6"))
        scn_error(parser, scn_place(at), "expected ipv4, ipv6 or ipv4-mapped-ipv6, found `%s`", scn_quote(value, quote));
    parser->option_ipv6 = six;
    parser->option_ipv4 = !six;
}

static void use_tolerance(struct scn_parser *parser, struct scn_piece value, struct scn_span at)
{
    int64_t us;
    char quote[SCN_QUOTE_MAX];
    if (scn_read_integer(value, &us) && us >= 0 && us <= INT32_MAX)
        parser->option_tolerance_ns = us * 1000;
    else
        scn_error(parser, scn_place(at), "expected microseconds for tolerance_usecs, found `%s`", scn_quote(value, quote));
}

void scn_option_line(struct scn_parser *parser, struct scn_piece line, struct scn_span at)
{
    const char *equals = memchr(line.start, '=', line.len);
    struct scn_piece name = { line.start + 2, (unsigned)((equals ? equals : line.start + line.len) - line.start - 2) }, value = { "", 0 };
    while (name.len && isspace((unsigned char)name.start[name.len - 1]))
        name.len--;
    if (equals) {
        value = (struct scn_piece){ equals + 1, line.len - (unsigned)(equals + 1 - line.start) };
        for (; value.len && isspace((unsigned char)*value.start); value.len--)
            value.start++;
    }
    const struct option_name *option = find_option(parser, name, at);
    if (!option)
        return;
    if (parser->seen_step) {
        scn_error(parser, scn_place(at), "options stand before the first step");
        return;
    }
    if (option->has_value != (equals != NULL)) {
        scn_error(parser, scn_place(at), option->has_value ? "--%s needs a value" : "--%s has no value", option->name);
        return;
    }
    if (scn_piece_is(name, "define")) {
        add_define(parser, value, at);
        return;
    }
    if (scn_piece_is(name, "ip_version"))
        use_ip_version(parser, value, at);
    if (scn_piece_is(name, "tolerance_usecs"))
        use_tolerance(parser, value, at);
    struct scn_setting *kept = scn_arena_alloc(parser->arena, 1, sizeof *kept);
    *kept = (struct scn_setting){ option->name, scn_piece_text(parser, value, scn_place(at)) };
    scn_list_add(parser->arena, &parser->option_lines, kept);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static struct scn_setting *settings_of(struct scn_parser *parser, const struct scn_list *list)
{
    struct scn_setting *settings = scn_arena_alloc(parser->arena, list->count, sizeof *settings);
    for (unsigned i = 0; i < list->count; i++)
        settings[i] = *(const struct scn_setting *)list->items[i];
    return settings;
}

void scn_front_matter_end(struct scn_parser *parser)
{
    static const int64_t strict_tolerance_ns = 4000000; /* packetdrill's */
    struct scenario *s = parser->scenario;
    if (s->has_front_matter && !s->title && !(parser->keys_seen & 1u))
        scn_error(parser, parser->first_directive,
                  "expected a title; a scenario with `//:` lines has one, as in `//: title A SYN is answered`");
    if (!parser->seen_ip) {
        const bool given = parser->option_ipv4 || parser->option_ipv6;
        s->ipv4 = given ? parser->option_ipv4 : true;
        s->ipv6 = given ? parser->option_ipv6 : s->has_front_matter;
    }
    if (s->tolerance_ns < 0 && parser->option_tolerance_ns >= 0)
        s->tolerance_ns = parser->option_tolerance_ns;
    else if (s->tolerance_ns < 0 && !s->has_front_matter)
        s->tolerance_ns = strict_tolerance_ns;
    s->covers = (const char **)parser->covers.items;
    s->cover_count = parser->covers.count;
    s->killed_by = (const char **)parser->killed_by.items;
    s->killed_by_count = parser->killed_by.count;
    s->settings = settings_of(parser, &parser->settings);
    s->setting_count = parser->settings.count;
    s->options = settings_of(parser, &parser->option_lines);
    s->option_count = parser->option_lines.count;
}
