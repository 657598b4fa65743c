/* How the values of the agent's protocol are written, and its messages sealed.
 *
 * The cryptography is that of RFC 2104 with SHA-256 (proofs, and the keys of a connection), and of RFC 8439 (messages): what every
 * library for small machines has. The two keys of a connection depend on both nonces, so that no message of another connection, nor
 * of the other direction, is ever taken; the nonce of a message is its number. */
#include "targets/agent/protocol.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(AGENT_PROOF_BYTES == crypto_auth_hmacsha256_BYTES && AGENT_KEY_BYTES == crypto_auth_hmacsha256_KEYBYTES,
               "HMAC-SHA-256");
_Static_assert(AGENT_PROOF_BYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "a derived key seals");
_Static_assert(AGENT_TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES, "Poly1305");
_Static_assert(sizeof AGENT_MAGIC - 1 == AGENT_MAGIC_BYTES, "the magic is as long as it says");

/* ---- reading ---------------------------------------------------------------------------------------------------- */

const uint8_t *agent_get_bytes(struct agent_reader *r, size_t len)
{
    if (r->bad || r->left < len) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->bytes;
    r->bytes += len;
    r->left -= len;
    return at;
}

static uint64_t get_number(struct agent_reader *r, size_t octets)
{
    const uint8_t *at = agent_get_bytes(r, octets);
    uint64_t value = 0;
    for (size_t i = 0; at && i < octets; i++)
        value = value << 8 | at[i];
    return value;
}

uint8_t agent_get8(struct agent_reader *r)
{
    return (uint8_t)get_number(r, 1);
}

uint16_t agent_get16(struct agent_reader *r)
{
    return (uint16_t)get_number(r, 2);
}

uint32_t agent_get32(struct agent_reader *r)
{
    return (uint32_t)get_number(r, 4);
}

int64_t agent_get64(struct agent_reader *r)
{
    return (int64_t)get_number(r, 8);
}

void agent_get_text(struct agent_reader *r, char *out, size_t max)
{
    size_t len = agent_get8(r);
    const uint8_t *at = agent_get_bytes(r, len);
    out[0] = '\0';
    if (!at)
        return;
    if (len > max || memchr(at, 0, len)) {
        r->bad = true;
        return;
    }
    memcpy(out, at, len);
    out[len] = '\0';
}

void agent_get_endpoint(struct agent_reader *r, struct pkt_endpoint *out)
{
    uint8_t version = agent_get8(r);
    const uint8_t *at = agent_get_bytes(r, sizeof out->addr.bytes);
    *out = (struct pkt_endpoint){ .addr.version = version, .port = agent_get16(r) };
    r->bad |= version != 0 && version != 4 && version != 6;
    if (at && !r->bad)
        memcpy(out->addr.bytes, at, version == 6 ? 16 : version == 4 ? 4 : 0);
}

bool agent_read_all(const struct agent_reader *r)
{
    return !r->bad && r->left == 0;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

void agent_put_bytes(struct agent_writer *w, const void *bytes, size_t len)
{
    if (w->full || w->capacity - w->len < len) {
        w->full = true;
        return;
    }
    if (len)
        memcpy(w->bytes + w->len, bytes, len);
    w->len += len;
}

static void put_number(struct agent_writer *w, uint64_t value, unsigned octets)
{
    uint8_t bytes[8];
    for (unsigned i = 0; i < octets; i++)
        bytes[i] = (uint8_t)(value >> 8 * (octets - 1 - i));
    agent_put_bytes(w, bytes, octets);
}

void agent_put8(struct agent_writer *w, uint8_t value)
{
    put_number(w, value, 1);
}

void agent_put16(struct agent_writer *w, uint16_t value)
{
    put_number(w, value, 2);
}

void agent_put32(struct agent_writer *w, uint32_t value)
{
    put_number(w, value, 4);
}

void agent_put64(struct agent_writer *w, int64_t value)
{
    put_number(w, (uint64_t)value, 8);
}

void agent_put_text(struct agent_writer *w, const char *text, size_t max)
{
    size_t len = strnlen(text, max);
    agent_put8(w, (uint8_t)len);
    agent_put_bytes(w, text, len);
}

void agent_put_endpoint(struct agent_writer *w, const struct pkt_endpoint *endpoint)
{
    agent_put8(w, endpoint->addr.version);
    agent_put_bytes(w, endpoint->addr.bytes, sizeof endpoint->addr.bytes);
    agent_put16(w, endpoint->port);
}

uint32_t agent_length_at(const uint8_t bytes[static AGENT_LENGTH_BYTES])
{
    struct agent_reader r = { bytes, AGENT_LENGTH_BYTES, false };
    return agent_get32(&r);
}

void agent_length_to(uint8_t bytes[static AGENT_LENGTH_BYTES], uint32_t length)
{
    struct agent_writer w = { bytes, 0, AGENT_LENGTH_BYTES, false };
    agent_put32(&w, length);
}

/* ---- proofs and seals ------------------------------------------------------------------------------------------- */

void agent_transcribe(struct agent_transcript *t, const uint8_t *message, size_t len)
{
    assert(len <= AGENT_GREETING_MAX && sizeof t->bytes - t->len >= AGENT_LENGTH_BYTES + len);
    agent_length_to(t->bytes + t->len, (uint32_t)len);
    memcpy(t->bytes + t->len + AGENT_LENGTH_BYTES, message, len);
    t->len += AGENT_LENGTH_BYTES + len;
}

void agent_derive(const uint8_t key[static AGENT_KEY_BYTES], enum agent_label label, const struct agent_transcript *t,
                  uint8_t out[static AGENT_PROOF_BYTES])
{
    static const char LABELS[][16] = { /* each 16 octets, zeros at the end */
        [AGENT_PROOF_OF_TESTER] = "proof of tester", [AGENT_PROOF_OF_AGENT] = "proof of agent",
        [AGENT_KEY_OF_TESTER] = "key of tester", [AGENT_KEY_OF_AGENT] = "key of agent",
    };
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, AGENT_KEY_BYTES);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)LABELS[label], sizeof LABELS[label]);
    crypto_auth_hmacsha256_update(&state, t->bytes, t->len);
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

bool agent_same_proof(const uint8_t a[static AGENT_PROOF_BYTES], const uint8_t b[static AGENT_PROOF_BYTES])
{
    return sodium_memcmp(a, b, AGENT_PROOF_BYTES) == 0;
}

static void nonce_of(uint64_t number, uint8_t out[static crypto_aead_chacha20poly1305_ietf_NPUBBYTES])
{
    struct agent_writer w = { out, 0, crypto_aead_chacha20poly1305_ietf_NPUBBYTES, false };
    agent_put32(&w, 0);
    agent_put64(&w, (int64_t)number);
}

size_t agent_seal_message(struct agent_seal *s, const uint8_t *plain, size_t len, uint8_t *out)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    nonce_of(s->number++, nonce);
    agent_length_to(out, (uint32_t)(len + AGENT_TAG_BYTES));
    crypto_aead_chacha20poly1305_ietf_encrypt(out + AGENT_LENGTH_BYTES, NULL, plain, len, out, AGENT_LENGTH_BYTES, NULL, nonce,
                                              s->key);
    return AGENT_LENGTH_BYTES + len + AGENT_TAG_BYTES;
}

bool agent_open_message(struct agent_seal *s, uint8_t *sealed, size_t len)
{
    uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES], length[AGENT_LENGTH_BYTES];
    agent_length_to(length, (uint32_t)len);
    nonce_of(s->number, nonce);
    if (crypto_aead_chacha20poly1305_ietf_decrypt(sealed, NULL, NULL, sealed, len, length, sizeof length, nonce, s->key) != 0)
        return false;
    s->number++;
    return true;
}
