/* The portrait of a stack: what it chose wherever the RFCs leave a choice (MAY, SHOULD, a number within bounds). Gathered by the
 * judges of a host, printed at the end of a run. Portraits add up. */
#ifndef TCPASSAY_MODEL_PORTRAIT_H
#define TCPASSAY_MODEL_PORTRAIT_H

#include <stddef.h>
#include <stdint.h>

enum choice_id {
    CHOICE_MSS_OFFERED, CHOICE_WINDOW_SCALE_OFFERED, CHOICE_SACK_OFFERED, CHOICE_TIMESTAMPS_OFFERED, CHOICE_ECN_OFFERED,
    CHOICE_FASTOPEN_OFFERED, CHOICE_WINDOW_INITIAL, CHOICE_TTL, CHOICE_DONT_FRAGMENT, CHOICE_ACK_DELAY, CHOICE_ACK_EVERY,
    CHOICE_INITIAL_WINDOW, CHOICE_RTO_INITIAL_SYN, CHOICE_RTO_INITIAL_SYN_ACK, CHOICE_RTO_DATA, CHOICE_SYN_TRANSMISSIONS,
    CHOICE_SYN_ACK_TRANSMISSIONS, CHOICE_PERSIST_FIRST, CHOICE_CHALLENGE_ACK, CHOICE_RESET_ON_SYN, CHOICE_RST_HAS_ACK,
    CHOICE_SYN_FIN_ANSWERED, CHOICE_OUT_OF_ORDER_KEPT, CHOICE_KEEP_ALIVE_GARBAGE, CHOICE_PSH_ON_LAST, CHOICE_RESET_ON_UNREAD_DATA,
    CHOICE_SYN_RECEIVED_TO_LISTEN, CHOICE_TIME_WAIT_REOPENS, CHOICE_DSACK_SENT, CHOICE_COUNT
};
enum choice_unit { CHOICE_YES_NO, CHOICE_NUMBER, CHOICE_OCTETS, CHOICE_TIME /* ns */ };

struct choice { /* of the table */
    const char *id;       /* "window-scale-offered" */
    const char *question; /* "offers a window scale of" */
    const char *source;   /* "RFC 7323 §2.2" */
    enum choice_unit unit;
};
const struct choice *choice_at(enum choice_id id);

struct portrait {
    struct portrait_entry { uint64_t count; int64_t min, max, sum; } choices[CHOICE_COUNT]; /* yes/no: sum counts the yeses */
};
void portrait_note(struct portrait *portrait, enum choice_id id, int64_t value);
void portrait_add(struct portrait *sum, const struct portrait *more);
/* "offers a window scale of: 7", "delays ACKs: 1 to 40 ms"; "" when it was never seen. Always terminated. Returns what snprintf
 * would. */
int portrait_describe(const struct portrait *portrait, enum choice_id id, char *out, size_t capacity);

#endif
