/* TCP Fast Open: RFC 7413, both roles. Cookies are keyed hashes of the client's address and of the hour, so that they expire
 * (§4.1.2). */
#include "targets/reference/stack.h"

#include <stdlib.h>
#include <string.h>

static const int64_t COOKIE_EPOCH_NS = 3600LL * REF_NS_PER_S;
static const int64_t DISABLED_NS = 3600LL * REF_NS_PER_S;   /* after a negative response: §4.1.3.1 */
static const int64_t PENALTY_NS = 2LL * REF_NS_PER_S;       /* a reset request counts on for that long: §5.1 */
enum { PENALTIES_MAX = sizeof ((struct ref_listener *)0)->fastopen_penalties / sizeof ((struct ref_listener *)0)->fastopen_penalties[0] };

/* ---- server ------------------------------------------------------------------------------------------------------ */

/* Off unless the application turned it on (§4.2). */
bool ref_fastopen_enabled(const struct ref_stack *stack, const struct ref_listener *listener)
{
    return (stack->config.fastopen & REF_FASTOPEN_SERVER) && listener->socket->options.fastopen_queue > 0;
}

void ref_fastopen_cookie(const struct ref_stack *stack, const struct ref_tuple *tuple, int64_t age,
                         uint8_t out[REF_FASTOPEN_COOKIE_LEN])
{
    struct { struct pkt_addr client; uint8_t zeros[7]; int64_t epoch; } input;
    memset(&input, 0, sizeof input);
    input.client = tuple->remote;
    input.epoch = stack->now_ns / COOKIE_EPOCH_NS - age;
    uint64_t hash = ref_hash(stack, REF_PURPOSE_FASTOPEN, &input, sizeof input);
    memcpy(out, &hash, REF_FASTOPEN_COOKIE_LEN);
}

static bool cookie_is_valid(const struct ref_stack *stack, const struct ref_segment *syn)
{
    if (syn->options.fastopen_cookie_len != REF_FASTOPEN_COOKIE_LEN)
        return false;
    for (int64_t age = 0; age < 2; age++) {
        uint8_t expected[REF_FASTOPEN_COOKIE_LEN];
        ref_fastopen_cookie(stack, &syn->tuple, age, expected);
        if (memcmp(expected, syn->options.fastopen_cookie, sizeof expected) == 0)
            return true;
    }
    return false;
}

static uint32_t penalties(const struct ref_listener *listener, int64_t now_ns)
{
    uint32_t count = 0;
    for (int i = 0; i < PENALTIES_MAX; i++)
        count += listener->fastopen_penalties[i].until_ns > now_ns;
    return count;
}

void ref_fastopen_penalty(struct ref_listener *listener, int64_t now_ns)
{
    int oldest = 0;
    for (int i = 1; i < PENALTIES_MAX; i++) {
        if (listener->fastopen_penalties[i].until_ns < listener->fastopen_penalties[oldest].until_ns)
            oldest = i;
    }
    listener->fastopen_penalties[oldest].until_ns = now_ns + PENALTY_NS;
}

bool ref_fastopen_accepts(struct ref_stack *stack, struct ref_listener *listener, const struct ref_segment *syn)
{
    if (!ref_fastopen_enabled(stack, listener) || !syn->options.has_fastopen || syn->text_len == 0)
        return false;
    uint32_t pending = listener->fastopen_pending + penalties(listener, stack->now_ns);
    return pending < (uint32_t)listener->socket->options.fastopen_queue && cookie_is_valid(stack, syn);
}

/* ---- client: the cache of §4.1.3 --------------------------------------------------------------------------------- */

static struct ref_fastopen_entry *lookup(const struct ref_stack *stack, const struct pkt_addr *remote)
{
    for (int i = 0; stack->fastopen && i < REF_FASTOPEN_ENTRIES_MAX; i++) {
        if (pkt_addr_equal(&stack->fastopen[i].remote, remote))
            return &stack->fastopen[i];
    }
    return NULL;
}

/* The entry of remote, or the least recently used one, emptied. NULL: out of memory. */
static struct ref_fastopen_entry *entry_for(struct ref_stack *stack, const struct pkt_addr *remote)
{
    if (!stack->fastopen)
        stack->fastopen = calloc(REF_FASTOPEN_ENTRIES_MAX, sizeof *stack->fastopen);
    struct ref_fastopen_entry *entry = lookup(stack, remote);
    if (entry || !stack->fastopen)
        return entry;
    entry = stack->fastopen;
    for (int i = 1; i < REF_FASTOPEN_ENTRIES_MAX; i++) {
        if (stack->fastopen[i].used_at_ns < entry->used_at_ns)
            entry = &stack->fastopen[i];
    }
    *entry = (struct ref_fastopen_entry){ .remote = *remote };
    return entry;
}

const struct ref_fastopen_entry *ref_fastopen_cached(struct ref_stack *stack, const struct pkt_addr *remote)
{
    struct ref_fastopen_entry *entry = lookup(stack, remote);
    if (!entry || entry->cookie_len == 0 || entry->disabled_until_ns > stack->now_ns)
        return NULL;
    entry->used_at_ns = stack->now_ns + 1;
    return entry;
}

void ref_fastopen_remember(struct ref_tcb *tcb, const struct ref_segment *syn_ack)
{
    struct ref_stack *stack = tcb->stack;
    if (!tcb->fastopen)
        return;
    if (tcb->fastopen_syn_data && seq_le(syn_ack->ack, tcb->iss + 1)) /* the data was not taken */
        ref_fastopen_negative(tcb);
    if (!syn_ack->options.has_fastopen || syn_ack->options.fastopen_cookie_len == 0)
        return;
    struct ref_fastopen_entry *entry = entry_for(stack, &tcb->tuple.remote);
    if (!entry)
        return;
    entry->cookie_len = syn_ack->options.fastopen_cookie_len;
    memcpy(entry->cookie, syn_ack->options.fastopen_cookie, sizeof entry->cookie);
    entry->mss = syn_ack->options.has_mss ? syn_ack->options.mss : 0;
    entry->used_at_ns = stack->now_ns + 1;
    entry->disabled_until_ns = 0; /* a fresh cookie says the server is willing */
}

void ref_fastopen_negative(struct ref_tcb *tcb)
{
    struct ref_fastopen_entry *entry = tcb->fastopen ? entry_for(tcb->stack, &tcb->tuple.remote) : NULL;
    if (!entry)
        return;
    entry->disabled_until_ns = tcb->stack->now_ns + DISABLED_NS;
    entry->used_at_ns = tcb->stack->now_ns + 1;
}
