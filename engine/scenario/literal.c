/* Reads the literals of the language out of their tokens: integers, times, texts in quotes, hex octets, flags. */
#include "engine/scenario/parse.h"

#include <ctype.h>
#include <string.h>

bool scn_piece_is(struct scn_piece piece, const char *text)
{
    return strlen(text) == piece.len && memcmp(piece.start, text, piece.len) == 0;
}

char *scn_piece_copy(struct scn_parser *parser, struct scn_piece piece)
{
    return scn_arena_text(parser->arena, piece.start, piece.len);
}

char *scn_piece_text(struct scn_parser *parser, struct scn_piece piece, struct scn_at at)
{
    if (memchr(piece.start, 0, piece.len))
        scn_error(parser, at, "found a NUL octet, which a text here cannot hold");
    return scn_piece_copy(parser, piece);
}

struct scn_piece scn_span_piece(const struct scn_parser *parser, struct scn_span span)
{
    return (struct scn_piece){ parser->source + span.first, span.end - span.first };
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool read_hex_integer(struct scn_piece digits, int64_t *value)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < digits.len; i++) {
        const int digit = hex_digit(digits.start[i]);
        if (digit < 0 || sum >> 60)
            return false;
        sum = sum << 4 | (unsigned)digit;
    }
    *value = (int64_t)sum;
    return digits.len > 0;
}

static bool read_decimal(struct scn_piece digits, int64_t *value)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < digits.len; i++)
        if (!isdigit((unsigned char)digits.start[i]) || __builtin_mul_overflow(sum, 10, &sum)
            || __builtin_add_overflow(sum, digits.start[i] - '0', &sum))
            return false;
    *value = sum;
    return digits.len > 0;
}

bool scn_read_integer(struct scn_piece piece, int64_t *value)
{
    if (piece.len > 2 && piece.start[0] == '0' && (piece.start[1] | 0x20) == 'x')
        return read_hex_integer((struct scn_piece){ piece.start + 2, piece.len - 2 }, value);
    return read_decimal(piece, value);
}

static int64_t unit_ns(struct scn_piece unit)
{
    static const struct { const char *name; int64_t ns; } units[] = {
        { "", SCN_NS_PER_S }, { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", SCN_NS_PER_S }, { "m", 60 * SCN_NS_PER_S },
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (scn_piece_is(unit, units[i].name))
            return units[i].ns;
    return 0;
}

bool scn_read_time(struct scn_piece piece, int64_t *ns)
{
    unsigned whole = 0;
    while (whole < piece.len && isdigit((unsigned char)piece.start[whole]))
        whole++;
    unsigned end = whole;
    if (end < piece.len && piece.start[end] == '.')
        for (end++; end < piece.len && isdigit((unsigned char)piece.start[end]); end++)
            ;
    if (end == 0 || (end == 1 && whole == 0))
        return false;
    const int64_t unit = unit_ns((struct scn_piece){ piece.start + end, piece.len - end });
    int64_t value = 0;
    if (!unit || (whole > 0 && !read_decimal((struct scn_piece){ piece.start, whole }, &value)) || __builtin_mul_overflow(value, unit, &value))
        return false;
    int64_t share = unit; /* of one unit, that the digit at hand counts; whole nanoseconds only, which is exact for the first of them */
    for (unsigned i = whole + 1; i < end && share > 0; i++) {
        int64_t part = share * (piece.start[i] - '0') / 10;
        if (__builtin_add_overflow(value, part, &value))
            return false;
        share /= 10;
    }
    *ns = value;
    return true;
}

static int simple_escape(char c)
{
    static const char letters[] = "abfnrtv0\\\"'?`", octets[] = "\a\b\f\n\r\t\v\0\\\"'?`";
    const char *found = c ? strchr(letters, c) : NULL;
    return found ? (unsigned char)octets[found - letters] : -1;
}

struct scn_bytes scn_read_string(struct scn_parser *parser, struct scn_piece piece, struct scn_span at)
{
    const char *from = piece.start + 1, *end = piece.start + piece.len - 1;
    struct scn_bytes out = { scn_arena_alloc(parser->arena, piece.len, 1), 0, piece.len };
    while (from < end) {
        if (*from != '\\') {
            out.bytes[out.len++] = (uint8_t)*from++;
            continue;
        }
        if (end - from >= 4 && from[1] == 'x' && hex_digit(from[2]) >= 0 && hex_digit(from[3]) >= 0) {
            out.bytes[out.len++] = (uint8_t)(hex_digit(from[2]) << 4 | hex_digit(from[3]));
            from += 4;
            continue;
        }
        const int octet = simple_escape(from[1]);
        if (octet < 0) {
            char quote[SCN_QUOTE_MAX];
            scn_error(parser, scn_place(at), "unknown escape `%s` in a text; there are \\n \\r \\t \\0 \\\\ \\\" and \\xHH",
                      scn_quote((struct scn_piece){ from, end - from > 1 ? 2 : 1 }, quote));
            return out;
        }
        out.bytes[out.len++] = (uint8_t)octet;
        from += 2;
    }
    return out;
}

static void make_room(struct scn_parser *parser, struct scn_bytes *bytes, size_t more)
{
    if (bytes->capacity - bytes->len >= more)
        return;
    const size_t capacity = 2 * bytes->capacity > bytes->len + more ? 2 * bytes->capacity : bytes->len + more;
    uint8_t *grown = scn_arena_alloc(parser->arena, capacity, 1);
    if (bytes->len)
        memcpy(grown, bytes->bytes, bytes->len);
    bytes->bytes = grown;
    bytes->capacity = capacity;
}

void scn_append(struct scn_parser *parser, struct scn_bytes *bytes, struct scn_piece piece)
{
    make_room(parser, bytes, piece.len);
    memcpy(bytes->bytes + bytes->len, piece.start, piece.len);
    bytes->len += piece.len;
}

bool scn_read_hex(struct scn_parser *parser, struct scn_piece piece, struct scn_bytes *out)
{
    if (piece.len > 2 && piece.start[0] == '0' && piece.start[1] == 'x')
        piece = (struct scn_piece){ piece.start + 2, piece.len - 2 };
    if (piece.len % 2 != 0)
        return false;
    make_room(parser, out, piece.len / 2);
    for (unsigned i = 0; i < piece.len; i += 2) {
        const int high = hex_digit(piece.start[i]), low = hex_digit(piece.start[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out->bytes[out->len++] = (uint8_t)(high << 4 | low);
    }
    return true;
}

int scn_read_flags(struct scn_piece piece, char *wrong)
{
    static const char letters[] = "SFRP.UEWA";
    static const int bits[] = { PKT_SYN, PKT_FIN, PKT_RST, PKT_PSH, PKT_ACK, PKT_URG, PKT_ECE, PKT_CWR, PKT_AE };
    int flags = 0;
    for (unsigned i = 0; i < piece.len; i++) {
        const char *found = piece.start[i] ? strchr(letters, piece.start[i]) : NULL;
        if (!found || (flags & bits[found - letters])) {
            *wrong = piece.start[i];
            return -1;
        }
        flags |= bits[found - letters];
    }
    return flags;
}
