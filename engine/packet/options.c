/* TCP options: stepping through them as they stand, reading what they mean, and writing them, legal or not.
 *
 * The walk (pkt_option_next) knows nothing but "kind, length, data" (RFC 9293 §3.1) and never steps outside. The meaning is a table
 * from kind to reader; a reader refuses an option whose length does not fit its kind, which then counts as unknown. */
#include "engine/packet/packet.h"

#include "engine/packet/wire.h"

#include <string.h>

enum { FASTOPEN_MAGIC = 0xf989, FASTOPEN_COOKIE_MIN = 4 }; /* RFC 7413 §4.1.1; the magic number before a kind was assigned (RFC 6994) */

/* ---- the walk --------------------------------------------------------------------------------------------------- */

/* Fills in the option at offset at, of which `room` octets, at least one, are there. Legal? */
static bool read_option(const uint8_t *at, unsigned room, struct pkt_option *out)
{
    out->kind = at[0];
    out->data = NULL;
    out->data_len = 0;
    if (out->kind == PKT_OPT_EOL || out->kind == PKT_OPT_NOP) {
        out->len = 1;
        return true;
    }
    out->len = room < 2 ? 0 : at[1];
    if (room < 2)
        return false;
    out->data = at + 2;
    if (out->len < 2)
        return false;
    out->data_len = (uint8_t)(wire_min(out->len, room) - 2);
    return out->len <= room;
}

enum pkt_option_status pkt_option_next(const uint8_t *options, uint8_t options_len, uint8_t *cursor, struct pkt_option *out)
{
    uint8_t at = *cursor;

    if (at >= options_len)
        return PKT_OPTION_END;
    out->offset = at;
    if (!read_option(options + at, (unsigned)options_len - at, out)) {
        *cursor = options_len;
        return PKT_OPTION_ILLEGAL;
    }
    *cursor = out->kind == PKT_OPT_EOL ? options_len : (uint8_t)(at + out->len);
    return PKT_OPTION_OK;
}

/* ---- the meaning ------------------------------------------------------------------------------------------------ */

/* Each reader takes a legal option and says whether its length fits its kind; it fills in the first of its kind only. */

static bool read_mss(const struct pkt_option *option, struct pkt_options *out)
{
    if (option->data_len != 2)
        return false;
    if (!out->has_mss)
        out->mss = wire_get16(option->data);
    out->has_mss = true;
    return true;
}

static bool read_wscale(const struct pkt_option *option, struct pkt_options *out)
{
    if (option->data_len != 1)
        return false;
    if (!out->has_wscale)
        out->wscale = option->data[0];
    out->has_wscale = true;
    return true;
}

static bool read_sack_permitted(const struct pkt_option *option, struct pkt_options *out)
{
    if (option->data_len != 0)
        return false;
    out->sack_permitted = true;
    return true;
}

static bool read_sack(const struct pkt_option *option, struct pkt_options *out)
{
    unsigned count = option->data_len / 8u;

    if (option->data_len % 8 != 0 || count < 1 || count > PKT_SACK_BLOCKS_MAX)
        return false;
    if (out->sack_count != 0)
        return true;
    for (unsigned i = 0; i < count; i++) {
        out->sack[i].left = wire_get32(option->data + 8 * i);
        out->sack[i].right = wire_get32(option->data + 8 * i + 4);
    }
    out->sack_count = (uint8_t)count;
    return true;
}

static bool read_timestamp(const struct pkt_option *option, struct pkt_options *out)
{
    if (option->data_len != 8)
        return false;
    if (!out->has_timestamp) {
        out->ts_val = wire_get32(option->data);
        out->ts_ecr = wire_get32(option->data + 4);
    }
    out->has_timestamp = true;
    return true;
}

static bool read_user_timeout(const struct pkt_option *option, struct pkt_options *out)
{
    if (option->data_len != 2)
        return false;
    if (!out->has_user_timeout)
        out->user_timeout = wire_get16(option->data);
    out->has_user_timeout = true;
    return true;
}

/* A cookie is empty (a request), or 4 to 16 octets, an even number of them (RFC 7413 §4.1.1). */
static bool read_cookie(const uint8_t *cookie, unsigned len, bool experimental, struct pkt_options *out)
{
    if (len != 0 && (len < FASTOPEN_COOKIE_MIN || len > PKT_FASTOPEN_COOKIE_MAX || len % 2 != 0))
        return false;
    if (out->has_fastopen)
        return true;
    out->has_fastopen = true;
    out->fastopen_experimental = experimental;
    out->fastopen_cookie_len = (uint8_t)len;
    memcpy(out->fastopen_cookie, cookie, len);
    return true;
}

static bool read_fastopen(const struct pkt_option *option, struct pkt_options *out)
{
    return read_cookie(option->data, option->data_len, false, out);
}

static bool read_experiment(const struct pkt_option *option, struct pkt_options *out)
{
    if (option->data_len < 2 || wire_get16(option->data) != FASTOPEN_MAGIC)
        return false;
    return read_cookie(option->data + 2, option->data_len - 2u, true, out);
}

static bool read_nop(const struct pkt_option *option, struct pkt_options *out)
{
    (void)option;
    (void)out;
    return true;
}

typedef bool option_reader(const struct pkt_option *option, struct pkt_options *out);
static option_reader *const option_readers[256] = {
    [PKT_OPT_EOL] = read_nop,
    [PKT_OPT_NOP] = read_nop,
    [PKT_OPT_MSS] = read_mss,
    [PKT_OPT_WSCALE] = read_wscale,
    [PKT_OPT_SACK_PERMITTED] = read_sack_permitted,
    [PKT_OPT_SACK] = read_sack,
    [PKT_OPT_TIMESTAMP] = read_timestamp,
    [PKT_OPT_USER_TIMEOUT] = read_user_timeout,
    [PKT_OPT_FASTOPEN] = read_fastopen,
    [PKT_OPT_EXPERIMENT_2] = read_experiment,
};

static bool all_zero(const uint8_t *bytes, size_t len)
{
    while (len > 0 && bytes[len - 1] == 0)
        len--;
    return len == 0;
}

void pkt_options_read(const uint8_t *options, uint8_t options_len, struct pkt_options *out)
{
    struct pkt_option option;
    enum pkt_option_status status;
    uint8_t cursor = 0;

    memset(out, 0, sizeof *out);
    while ((status = pkt_option_next(options, options_len, &cursor, &option)) == PKT_OPTION_OK) {
        option_reader *reader = option_readers[option.kind];
        if (reader == NULL || !reader(&option, out))
            out->unknown_count++;
        if (option.kind == PKT_OPT_EOL)
            out->padding_not_zero = !all_zero(options + option.offset, (size_t)options_len - option.offset);
    }
    out->illegal = status == PKT_OPTION_ILLEGAL;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* Room for an option of len octets, or NULL with the overflow noted. */
static uint8_t *reserve(struct pkt_option_buffer *b, unsigned len)
{
    uint8_t *at = b->bytes + b->len;

    if (b->len + len > PKT_TCP_OPTIONS_MAX) {
        b->overflow = true;
        return NULL;
    }
    b->len = (uint8_t)(b->len + len);
    return at;
}

static void put_option(struct pkt_option_buffer *b, uint8_t kind, const uint8_t *data, uint8_t data_len)
{
    pkt_put_raw_option(b, kind, (uint8_t)(data_len + 2), data, data_len);
}

void pkt_put_raw_option(struct pkt_option_buffer *b, uint8_t kind, uint8_t stated_len, const uint8_t *data, uint8_t data_len)
{
    uint8_t *at = reserve(b, 2u + data_len);

    if (at == NULL)
        return;
    at[0] = kind;
    at[1] = stated_len;
    if (data_len > 0)
        memcpy(at + 2, data, data_len);
}

void pkt_put_nop(struct pkt_option_buffer *b)
{
    uint8_t *at = reserve(b, 1);

    if (at != NULL)
        *at = PKT_OPT_NOP;
}

void pkt_put_eol(struct pkt_option_buffer *b)
{
    uint8_t *at = reserve(b, 1);

    if (at != NULL)
        *at = PKT_OPT_EOL;
}

void pkt_put_mss(struct pkt_option_buffer *b, uint16_t mss)
{
    uint8_t data[2];

    wire_put16(data, mss);
    put_option(b, PKT_OPT_MSS, data, sizeof data);
}

void pkt_put_wscale(struct pkt_option_buffer *b, uint8_t shift)
{
    put_option(b, PKT_OPT_WSCALE, &shift, 1);
}

void pkt_put_sack_permitted(struct pkt_option_buffer *b)
{
    put_option(b, PKT_OPT_SACK_PERMITTED, NULL, 0);
}

void pkt_put_sack(struct pkt_option_buffer *b, const uint32_t (*left_right)[2], unsigned count)
{
    uint8_t data[8 * PKT_SACK_BLOCKS_MAX];

    if (count > PKT_SACK_BLOCKS_MAX) {
        b->overflow = true;
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        wire_put32(data + 8 * i, left_right[i][0]);
        wire_put32(data + 8 * i + 4, left_right[i][1]);
    }
    put_option(b, PKT_OPT_SACK, data, (uint8_t)(8 * count));
}

void pkt_put_timestamp(struct pkt_option_buffer *b, uint32_t val, uint32_t ecr)
{
    uint8_t data[8];

    wire_put32(data, val);
    wire_put32(data + 4, ecr);
    put_option(b, PKT_OPT_TIMESTAMP, data, sizeof data);
}

void pkt_put_user_timeout(struct pkt_option_buffer *b, uint16_t value)
{
    uint8_t data[2];

    wire_put16(data, value);
    put_option(b, PKT_OPT_USER_TIMEOUT, data, sizeof data);
}

void pkt_put_fastopen(struct pkt_option_buffer *b, const uint8_t *cookie, uint8_t cookie_len)
{
    put_option(b, PKT_OPT_FASTOPEN, cookie, cookie_len);
}

void pkt_pad_options(struct pkt_option_buffer *b)
{
    while (b->len % 4 != 0)
        b->bytes[b->len++] = PKT_OPT_EOL;
}
