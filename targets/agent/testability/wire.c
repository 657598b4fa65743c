/* Messages of the AUTOSAR Testability Protocol in and out of octets (wire.h). */
#include "targets/agent/testability/wire.h"

#include <errno.h>
#include <string.h>

enum { VERSION = 1, LENGTH_AT = 4, LENGTH_COUNTS_FROM = 8 }; /* §6.1: LEN counts what follows it */

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, (uint16_t)(value >> 16));
    put16(at + 2, (uint16_t)value);
}

size_t tpsp_decode(const uint8_t *bytes, size_t len, struct tpsp_message *out)
{
    if (len < TPSP_HEADER_BYTES)
        return 0;
    uint32_t follows = get32(bytes + LENGTH_AT);
    if (follows < TPSP_HEADER_BYTES - LENGTH_COUNTS_FROM || follows > len - LENGTH_COUNTS_FROM)
        return 0;
    if (bytes[12] != VERSION || bytes[13] != VERSION)
        return 0;
    *out = (struct tpsp_message){
        .service = get16(bytes),
        .event = bytes[2] & 0x80,
        .group = bytes[2] & 0x7F,
        .primitive = bytes[3],
        .request_id = get32(bytes + 8),
        .type = bytes[14],
        .result = bytes[15],
        .parameters = bytes + TPSP_HEADER_BYTES,
        .parameters_len = follows + LENGTH_COUNTS_FROM - TPSP_HEADER_BYTES,
    };
    return follows + LENGTH_COUNTS_FROM;
}

static const struct result {
    uint8_t result;
    int error;
    const char *name;
} results[] = {
    {TPSP_OK, 0, "E_OK"},
    {TPSP_NOK, ENOSYS, "E_NOK"},
    {TPSP_NTF, EOPNOTSUPP, "E_NTF"},
    {TPSP_PEN, EAGAIN, "E_PEN"},
    {TPSP_ISB, EOPNOTSUPP, "E_ISB"},
    {TPSP_INV, ENOSYS, "E_INV"},
    {TPSP_ISD, ENOSYS, "E_ISD"},
    {TPSP_UCS, EMFILE, "E_UCS"},
    {TPSP_UBS, EADDRINUSE, "E_UBS"},
    {TPSP_TCP_PNA, ENOSYS, "E_TCP_PNA"},
    {TPSP_TCP_FSU, EDESTADDRREQ, "E_TCP_FSU"},
    {TPSP_TCP_ILP, EACCES, "E_TCP_ILP"},
    {TPSP_TCP_INR, ENOBUFS, "E_TCP_INR"},
    {TPSP_TCP_CAE, EISCONN, "E_TCP_CAE"},
    {TPSP_TCP_COC, EPIPE, "E_TCP_COC"},
    {TPSP_TCP_CNE, ENOTCONN, "E_TCP_CNE"},
    {TPSP_TCP_CRE, ECONNRESET, "E_TCP_CRE"},
    {TPSP_TCP_CAT, ETIMEDOUT, "E_TCP_CAT"},
    {TPSP_TCP_COR, ECONNREFUSED, "E_TCP_COR"},
    {TPSP_TCP_OAP, EALREADY, "E_TCP_OAP"},
};

static const struct result *find_result(uint8_t result)
{
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (results[i].result == result)
            return &results[i];
    return NULL;
}

int tpsp_errno(uint8_t result)
{
    const struct result *known = find_result(result);
    return known ? -known->error : -ENOSYS;
}

const char *tpsp_result_name(uint8_t result)
{
    const struct result *known = find_result(result);
    return known ? known->name : "a result of its own";
}

/* ---- parameters in ----------------------------------------------------------------------------------------------- */

struct tpsp_reader tpsp_read(const struct tpsp_message *message)
{
    return (struct tpsp_reader){.at = message->parameters, .left = message->parameters_len};
}

/* NULL when that much is not there. */
static const uint8_t *take(struct tpsp_reader *r, size_t len)
{
    if (r->failed || r->left < len) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += len;
    r->left -= len;
    return at;
}

uint8_t tpsp_read_u8(struct tpsp_reader *r)
{
    const uint8_t *at = take(r, 1);
    return at ? *at : 0;
}

uint16_t tpsp_read_u16(struct tpsp_reader *r)
{
    const uint8_t *at = take(r, 2);
    return at ? get16(at) : 0;
}

const uint8_t *tpsp_read_octets(struct tpsp_reader *r, size_t *len)
{
    size_t wanted = tpsp_read_u16(r);
    const uint8_t *at = take(r, wanted);
    *len = at ? wanted : 0;
    return at;
}

void tpsp_read_address(struct tpsp_reader *r, struct pkt_addr *out)
{
    size_t len;
    const uint8_t *octets = tpsp_read_octets(r, &len);
    *out = (struct pkt_addr){.version = 0};
    if (!octets || (len != 4 && len != 16)) {
        r->failed = true;
        return;
    }
    out->version = len == 4 ? 4 : 6;
    memcpy(out->bytes, octets, len);
}

/* ---- messages out ------------------------------------------------------------------------------------------------ */

/* NULL when there is no room. */
static uint8_t *room(struct tpsp_writer *w, size_t len)
{
    if (w->failed || w->capacity - w->len < len) {
        w->failed = true;
        return NULL;
    }
    w->len += len;
    return w->bytes + w->len - len;
}

struct tpsp_writer tpsp_begin(uint8_t *bytes, size_t capacity, uint8_t group, uint8_t primitive, uint32_t request_id)
{
    struct tpsp_writer w = {.bytes = bytes, .capacity = capacity};
    uint8_t *header = room(&w, TPSP_HEADER_BYTES);
    if (!header)
        return w;
    memset(header, 0, TPSP_HEADER_BYTES);
    put16(header, TPSP_SERVICE);
    header[2] = group & 0x7F;
    header[3] = primitive;
    put32(header + 8, request_id);
    header[12] = header[13] = VERSION;
    header[14] = TPSP_REQUEST;
    return w;
}

void tpsp_write_u8(struct tpsp_writer *w, uint8_t value)
{
    uint8_t *at = room(w, 1);
    if (at)
        *at = value;
}

void tpsp_write_u16(struct tpsp_writer *w, uint16_t value)
{
    uint8_t *at = room(w, 2);
    if (at)
        put16(at, value);
}

void tpsp_write_octets(struct tpsp_writer *w, const uint8_t *octets, size_t len)
{
    w->failed |= len > UINT16_MAX;
    tpsp_write_u16(w, (uint16_t)len);
    uint8_t *at = room(w, len);
    if (at && len)
        memcpy(at, octets, len);
}

void tpsp_write_address(struct tpsp_writer *w, const struct pkt_addr *address)
{
    tpsp_write_octets(w, address->bytes, address->version == 6 ? 16 : 4);
}

size_t tpsp_end(struct tpsp_writer *w)
{
    if (w->failed)
        return 0;
    put32(w->bytes + LENGTH_AT, (uint32_t)(w->len - LENGTH_COUNTS_FROM));
    return w->len;
}
