/* What each fault makes of a segment at hand: a row each, and rows for what it leaves alone. */
#include "targets/saboteur/test/world.h"

#include <string.h>

#define FULL_TEXT "<mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>"
#define STAMP_TEXT "<nop,nop,TS val 200 ecr 300>"
#define BLOCK_TEXT "<nop,nop,sack 11:21>"

/* What comes out, or reaches the IUT; "" for nothing. */
struct row { const char *fault; enum situation situation; struct seg seg; const char *becomes; };

static const struct row from_iut_rows[] = {
    {"ack-plus-one", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 2 win 1000"},
    {"ack-plus-one", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000, .opts = STAMP}, "P. 1:11(10) ack 2 win 1000 " STAMP_TEXT},
    {"ack-plus-one", OPEN, {A_ | F_, 1, .ack = 1, .win = 1000}, "F. 1:1(0) ack 2 win 1000"},
    {"ack-plus-one", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535}, "S. 0:0(0) ack 1 win 65535"},
    {"ack-plus-one", OPEN, {R_ | A_, 1, .ack = 1}, "R. 1:1(0) ack 1 win 0"},
    {"ack-plus-one@3", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"}, /* the second: OPEN has had the first */
    {"ack-plus-one@2", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 2 win 1000"},
    {"ack-minus-one", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 0 win 1000"},
    {"ack-minus-one", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535}, "S. 0:0(0) ack 1 win 65535"},
    {"synack-ack-plus-one", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535, .opts = FULL}, "S. 0:0(0) ack 2 win 65535 " FULL_TEXT},
    {"synack-ack-plus-one", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"synack-ack-zero", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535}, "S. 0:0(0) ack 0 win 65535 (zero)"},
    {"synack-without-ack-flag", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535}, "S 0:0(0) win 65535"},
    {"seq-plus-one", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "P. 2:12(10) ack 1 win 1000"},
    {"seq-plus-one", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"fin-seq-plus-one", OPEN, {A_ | F_, 1, .ack = 1, .win = 1000}, "F. 2:2(0) ack 1 win 1000"},
    {"fin-seq-plus-one", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "P. 1:11(10) ack 1 win 1000"},
    {"rst-seq-plus-one", OPEN, {.flags = R_, .seq = 1}, "R 2:2(0) win 0"},
    {"rst-seq-plus-one", NOTHING, {R_ | A_, 0, .ack = 1}, "R. 1:1(0) ack 1 win 0"},
    {"rst-ack-plus-one", NOTHING, {R_ | A_, 0, .ack = 1}, "R. 0:0(0) ack 2 win 0"},
    {"rst-without-ack", NOTHING, {R_ | A_, 0, .ack = 1}, "R 0:0(0) win 0"},
    {"rst-without-ack", NOTHING, {.flags = R_, .seq = 0}, "R 0:0(0) win 0"},
    {"rst-with-ack", NOTHING, {.flags = R_, .seq = 7}, "R. 7:7(0) ack 0 win 0 (zero)"},
    {"isn-changed", SYN_SENT, {S_, 0, .win = 65535}, "S 64000:64000(0) win 65535"},
    {"isn-changed", NOTHING, {S_, 0, .win = 65535}, "S 0:0(0) win 65535"},
    {"data-without-ack-flag", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "P 1:11(10) win 1000"},
    {"data-without-ack-flag", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"fin-on-data", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "FP. 1:11(10) ack 1 win 1000"},
    {"fin-on-data", SENT_10, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "P. 1:11(10) ack 1 win 1000"},
    {"window-zero", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 0"},
    {"window-zero", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535}, "S. 0:0(0) ack 1 win 0"},
    {"window-shrunk", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 250"}, /* the second after the SYN */
    {"window-shrunk", SYN_RECEIVED, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 500"},
    {"checksum-bad", OPEN, {A_ | P_, 1, .len = 11, .ack = 1, .win = 1000}, "P. 1:12(11) ack 1 win 1000 (bad checksum)"},
    {"urgent-pointer-off-by-one", OPEN, {A_ | U_, 1, .len = 10, .ack = 1, .win = 1000, .urg = 5}, "U. 1:11(10) ack 1 win 1000 urg 6"},
    {"psh-never", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, ". 1:11(10) ack 1 win 1000"},
    {"flags-add-urg", OPEN, {A_, 1, .ack = 1, .win = 1000}, "U. 1:1(0) ack 1 win 1000 urg 1"},
    {"flags-add-urg", NOTHING, {S_, 0, .win = 65535}, "S 0:0(0) win 65535"},
    {"tos-zero", OPEN, {A_, 1, .ack = 1, .win = 1000, .tos = 0x2a}, ". 1:1(0) ack 1 win 1000"},
    {"ttl-frozen", OPEN, {A_, 1, .ack = 1, .win = 1000, .tos = 0x28, .ttl = 33}, ". 1:1(0) ack 1 win 1000 (tos 40 ttl 64)"},
    {"ecn-unasked", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535}, "SE. 0:0(0) ack 1 win 65535"},
    {"ecn-unasked", NOTHING, {S_ | PKT_ECE | PKT_CWR, 0, .win = 65535}, "SEW 0:0(0) win 65535"},
    {"ece-never", OPEN, {A_ | PKT_ECE | PKT_CWR, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"ect-on-syn", NOTHING, {S_, 0, .win = 65535, .tos = 0x28}, "S 0:0(0) win 65535 (tos 42 ttl 64)"},
    {"ect-on-syn", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535}, "S. 0:0(0) ack 1 win 65535 (tos 2 ttl 64)"},
    {"ect-on-syn", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"wscale-applied-unasked", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 7"},
    {"wscale-applied-unasked", NOTHING, {S_, 0, .win = 65535}, "S 0:0(0) win 65535"},
    {"fin-with-rst", OPEN, {A_ | F_, 1, .len = 10, .ack = 1, .win = 1000}, "FR. 1:11(10) ack 1 win 1000"},

    {"mss-missing", NOTHING, {S_, 0, .win = 65535, .opts = MSS}, "S 0:0(0) win 65535"},
    {"mss-missing", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535, .opts = FULL},
     "S. 0:0(0) ack 1 win 65535 <sackOK,TS val 100 ecr 0,wscale 7,eol>"},
    {"mss-zero", NOTHING, {S_, 0, .win = 65535, .opts = FULL}, "S 0:0(0) win 65535 <mss 0,sackOK,TS val 100 ecr 0,nop,wscale 7>"},
    {"mss-on-data", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "P. 1:11(10) ack 1 win 1000 <mss 1460>"},
    {"mss-on-data", OPEN, {A_, 1, .ack = 1, .win = 1000, .opts = STAMP}, ". 1:1(0) ack 1 win 1000 <nop,nop,TS val 200 ecr 300,mss 1460>"},
    {"wscale-unasked", SYN_RECEIVED, {S_ | A_, 0, .ack = 1, .win = 65535, .opts = MSS}, "S. 0:0(0) ack 1 win 65535 <mss 1460,wscale 7,eol>"},
    {"wscale-unasked", OPEN_FULL, {S_ | A_, 0, .ack = 1, .win = 65535, .opts = MSS}, "S. 0:0(0) ack 1 win 65535 <mss 1460>"},
    {"ts-unasked", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000 <TS val 3600000 ecr 0,eol>"},
    {"ts-unasked", OPEN_FULL, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"ts-missing", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000, .opts = STAMP}, "P. 1:11(10) ack 1 win 1000"},
    {"ts-missing", NOTHING, {S_, 0, .win = 65535, .opts = FULL}, "S 0:0(0) win 65535 " FULL_TEXT},
    {"ts-echo-wrong", OPEN, {A_, 1, .ack = 1, .win = 1000, .opts = STAMP}, ". 1:1(0) ack 1 win 1000 <nop,nop,TS val 200 ecr 307>"},
    {"ts-echo-wrong", NOTHING, {S_, 0, .win = 65535, .opts = FULL}, "S 0:0(0) win 65535 " FULL_TEXT},
    {"ts-frozen", OPEN_FULL, {A_, 1, .ack = 1, .win = 1000, .opts = STAMP}, ". 1:1(0) ack 1 win 1000 <nop,nop,TS val 100 ecr 300>"},
    {"sack-unasked", SYN_RECEIVED, {S_ | A_, 0, .ack = 1, .win = 65535, .opts = MSS}, "S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,eol>"},
    {"sack-unasked", GOT_GAP, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000 <sack 11:21,eol>"},
    {"sack-unasked", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"sack-wrong", GOT_GAP, {A_, 1, .ack = 1, .win = 1000, .opts = BLOCK}, ". 1:1(0) ack 1 win 1000 <nop,nop,sack 12:22>"},

    {"syn-dropped", NOTHING, {S_, 0, .win = 65535}, ""},
    {"syn-dropped", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535}, "S. 0:0(0) ack 1 win 65535"},
    {"synack-dropped", NOTHING, {S_ | A_, 0, .ack = 1, .win = 65535}, ""},
    {"synack-dropped", NOTHING, {S_, 0, .win = 65535}, "S 0:0(0) win 65535"},
    {"ack-dropped", OPEN, {A_, 1, .ack = 1, .win = 1000}, ""},
    {"ack-dropped", OPEN, {A_ | P_, 1, .len = 1, .ack = 1, .win = 1000}, "P. 1:2(1) ack 1 win 1000"},
    {"ack-dropped", SENT_10, {A_ | F_, 11, .ack = 1, .win = 1000}, "F. 11:11(0) ack 1 win 1000"},
    {"rst-dropped", NOTHING, {R_ | A_, 0, .ack = 1}, ""},
    {"fin-dropped", OPEN, {A_ | F_, 1, .len = 10, .ack = 1, .win = 1000}, ""},
    {"fin-dropped@2", OPEN, {A_ | F_, 1, .len = 10, .ack = 1, .win = 1000}, "F. 1:11(10) ack 1 win 1000"},
    {"data-dropped", OPEN, {A_ | P_, 1, .len = 1, .ack = 1, .win = 1000}, ""},
    {"data-dropped", NOTHING, {S_, 0, .len = 10, .win = 65535}, "S 0:10(10) win 65535"},
    {"syn-once", SYN_SENT, {S_, 0, .win = 65535}, ""},
    {"syn-once", NOTHING, {S_, 0, .win = 65535}, "S 0:0(0) win 65535"},
    {"syn-once", SYN_SENT, {S_, 700, .win = 65535}, "S 700:700(0) win 65535"}, /* a new incarnation */
    {"synack-once", SYN_RECEIVED, {S_ | A_, 0, .ack = 1, .win = 65535}, ""},
    {"synack-once", SYN_SENT, {S_ | A_, 0, .ack = 1, .win = 65535}, "S. 0:0(0) ack 1 win 65535"}, /* simultaneous open */
    {"data-once", SENT_10, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, ""},
    {"data-once", SENT_10, {A_ | P_, 6, .len = 5, .ack = 1, .win = 1000}, ""},
    {"data-once", SENT_10, {A_ | P_, 6, .len = 6, .ack = 1, .win = 1000}, "P. 6:12(6) ack 1 win 1000"}, /* one new octet */
    {"fin-once", HALF_CLOSED, {A_ | F_, 1, .ack = 1, .win = 1000}, ""},
    {"fin-once", SENT_10, {A_ | F_, 11, .ack = 1, .win = 1000}, "F. 11:11(0) ack 1 win 1000"},
    {"fast-retransmit-never", SENT_10, {A_ | P_, 11, .len = 10, .ack = 1, .win = 1000}, "P. 11:21(10) ack 1 win 1000"},
    {"probe-never", CLOSED_WINDOW, {A_, 1, .len = 1, .ack = 1, .win = 1000}, ""},
    {"probe-never", CLOSED_WINDOW, {A_, 0, .ack = 1, .win = 1000}, ""},
    {"probe-never", CLOSED_WINDOW, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"probe-never", OPEN, {A_, 1, .len = 1, .ack = 1, .win = 1000}, ". 1:2(1) ack 1 win 1000"},
    {"keepalive-with-octet", OPEN, {A_, 0, .ack = 1, .win = 1000}, ". 0:1(1) ack 1 win 1000"},
    {"keepalive-with-octet", OPEN, {A_, 0, .ack = 1, .win = 1000, .opts = STAMP}, ". 0:1(1) ack 1 win 1000 " STAMP_TEXT},
    {"keepalive-with-octet", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"keepalive-never", OPEN, {A_, 0, .ack = 1, .win = 1000}, ""},
    {"keepalive-never", OPEN, {A_, 0, .len = 1, .ack = 1, .win = 1000}, ""},
    {"keepalive-never", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},
    {"keepalive-never", SENT_10, {A_, 10, .len = 1, .ack = 1, .win = 1000}, ". 10:11(1) ack 1 win 1000"}, /* a retransmission */
    {"challenge-ack-dropped", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000"},

    {"all-late-600ms", OPEN, {A_, 1, .ack = 1, .win = 1000}, ""},
    {"ack-late-600ms", OPEN, {A_, 1, .ack = 1, .win = 1000}, ""},
    {"ack-late-600ms", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "P. 1:11(10) ack 1 win 1000"},
    {"ack-each-twice", OPEN, {A_, 1, .ack = 1, .win = 1000}, ". 1:1(0) ack 1 win 1000 | . 1:1(0) ack 1 win 1000"},
    {"ack-each-twice", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, "P. 1:11(10) ack 1 win 1000"},
    {"data-after-fin", OPEN, {A_ | F_, 1, .len = 10, .ack = 1, .win = 1000}, "F. 1:11(10) ack 1 win 1000 | P. 12:13(1) ack 1 win 1000"},
    {"data-after-fin", HALF_CLOSED, {A_ | F_, 1, .ack = 1, .win = 1000}, "F. 1:1(0) ack 1 win 1000"}, /* a retransmission */
    {"fin-twice", OPEN, {A_ | F_, 1, .len = 10, .ack = 1, .win = 1000}, "F. 1:11(10) ack 1 win 1000 | F. 12:12(0) ack 1 win 1000"},
    {"fin-twice", HALF_CLOSED, {A_ | F_, 1, .ack = 1, .win = 1000}, "F. 1:1(0) ack 1 win 1000"}, /* a retransmission */
};

static const struct row to_iut_rows[] = {
    {"deaf-to-syn", NOTHING, {S_, 0, .win = 65535}, ""},
    {"deaf-to-syn", SYN_SENT, {S_ | A_, 0, .ack = 1, .win = 65535}, ""},
    {"deaf-to-syn", SYN_SENT, {R_ | A_, 0, .ack = 1}, "R. 0:0(0) ack 1 win 0"},
    {"deaf-to-ack", OPEN, {A_, 1, .ack = 1, .win = 65535}, ""},
    {"deaf-to-ack", OPEN, {A_ | P_, 1, .len = 1, .ack = 1, .win = 65535}, "P. 1:2(1) ack 1 win 65535"},
    {"deaf-to-rst", OPEN, {.flags = R_, .seq = 1}, ""},
    {"rst-leaves-timers", OPEN, {R_ | A_, 1, .ack = 1}, ""},
    {"deaf-to-fin", OPEN, {F_ | A_, 1, .len = 10, .ack = 1, .win = 65535}, ". 1:11(10) ack 1 win 65535"},
    {"deaf-to-fin", OPEN, {F_ | A_, 1, .ack = 1, .win = 65535}, ". 1:1(0) ack 1 win 65535"},
    {"deaf-to-data", OPEN, {A_ | P_, 1, .len = 1, .ack = 1, .win = 65535}, ""},
    {"deaf-to-data", OPEN, {A_, 1, .ack = 1, .win = 65535}, ". 1:1(0) ack 1 win 65535"},
    {"deaf-to-urgent", OPEN, {A_ | U_, 1, .len = 10, .ack = 1, .win = 65535, .urg = 7}, ". 1:11(10) ack 1 win 65535"},
    {"syn-fin-dropped", NOTHING, {S_ | F_, 0, .win = 65535}, ""},
    {"syn-fin-dropped", NOTHING, {S_, 0, .win = 65535}, "S 0:0(0) win 65535"},
    {"syn-text-dropped", NOTHING, {S_, 0, .len = 10, .win = 65535}, ""},
    {"syn-text-dropped", NOTHING, {S_, 0, .win = 65535}, "S 0:0(0) win 65535"},
    {"syn-in-window-hidden", OPEN, {S_, 1, .win = 65535}, ""},
    {"syn-in-window-hidden", OPEN, {S_, 1000, .win = 65535}, ""},
    {"syn-in-window-hidden", OPEN, {S_, 1001, .win = 65535}, "S 1001:1001(0) win 65535"}, /* one past the window */
    {"syn-in-window-hidden", OPEN, {S_, 0, .win = 65535}, "S 0:0(0) win 65535"},
    {"syn-in-window-hidden", SYN_CAME, {S_, 5, .win = 65535}, "S 5:5(0) win 65535"},
    {"out-of-order-dropped", OPEN, {A_ | P_, 2, .len = 10, .ack = 1, .win = 65535}, ""},
    {"out-of-order-dropped", OPEN, {A_ | F_, 2, .ack = 1, .win = 65535}, ""},
    {"out-of-order-dropped", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 65535}, "P. 1:11(10) ack 1 win 65535"},
    {"overlap-hidden", GOT_STAMP, {A_ | P_, 10, .len = 10, .ack = 1, .win = 65535}, ""},
    {"overlap-hidden", GOT_GAP, {A_ | P_, 1, .len = 11, .ack = 1, .win = 65535}, ""},
    {"overlap-hidden", GOT_GAP, {A_ | P_, 1, .len = 10, .ack = 1, .win = 65535}, "P. 1:11(10) ack 1 win 65535"},
    {"overlap-hidden", GOT_STAMP, {A_ | P_, 11, .len = 10, .ack = 1, .win = 65535}, "P. 11:21(10) ack 1 win 65535"},
    {"zero-window-hidden", OPEN, {A_, 1, .ack = 1, .win = 0}, ". 1:1(0) ack 1 win 65535"},
    {"zero-window-hidden", OPEN, {A_, 1, .ack = 1, .win = 1}, ". 1:1(0) ack 1 win 1"},
    {"zero-window-hidden", OPEN, {R_, 1, .win = 0}, "R 1:1(0) win 0"},
    {"options-stripped", OPEN, {S_, 0, .win = 65535, .opts = FULL}, "S 0:0(0) win 65535"},
    {"options-stripped", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 65535, .opts = STAMP}, "P. 1:11(10) ack 1 win 65535"},
    {"sack-hidden", SENT_10, {A_, 1, .ack = 1, .win = 65535, .opts = BLOCK}, ". 1:1(0) ack 1 win 65535"},
    {"ts-hidden", OPEN_FULL, {A_ | P_, 1, .len = 10, .ack = 1, .win = 65535, .opts = STAMP}, "P. 1:11(10) ack 1 win 65535"},
    {"ts-hidden", NOTHING, {S_, 0, .win = 65535, .opts = FULL}, "S 0:0(0) win 65535 " FULL_TEXT},

    {"checksum-unchecked", OPEN, {A_ | P_, 1, .len = 11, .ack = 1, .win = 65535, .bad_checksum = true}, "P. 1:12(11) ack 1 win 65535"},
    {"seq-unchecked", OPEN, {A_ | P_, 1001, .len = 10, .ack = 1, .win = 65535}, "P. 1:11(10) ack 1 win 65535"},
    {"seq-unchecked", OPEN, {A_ | P_, 1000, .len = 10, .ack = 1, .win = 65535}, "P. 1000:1010(10) ack 1 win 65535"}, /* its first octet is inside */
    {"seq-unchecked", OPEN_FULL, {A_ | P_, 1001, .len = 10, .ack = 1, .win = 65535}, "P. 1001:1011(10) ack 1 win 65535"}, /* 1000 << 7 */
    {"seq-unchecked", OPEN_ACTIVELY, {A_ | P_, 128000, .len = 10, .ack = 1, .win = 65535}, "P. 128000:128010(10) ack 1 win 65535"},
    {"seq-unchecked", OPEN_FULL, {A_ | P_, 128001, .len = 10, .ack = 1, .win = 65535}, "P. 1:11(10) ack 1 win 65535"},
    {"seq-unchecked", OPEN_UNSCALED, {A_ | P_, 1001, .len = 10, .ack = 1, .win = 65535}, "P. 1:11(10) ack 1 win 65535"},
    {"seq-unchecked", OPEN, {.flags = R_, .seq = -100}, "R 1:1(0) win 0"},
    {"seq-unchecked", OPEN, {S_, -100, .win = 65535}, "S 4294967196:4294967196(0) win 65535"},
    {"seq-unchecked", OPEN, {A_ | P_, 1001, .len = 10, .ack = 1, .win = 65535, .bad_checksum = true}, "P. 1:11(10) ack 1 win 65535 (bad checksum)"},
    {"gap-ignored", OPEN, {A_ | P_, 11, .len = 10, .ack = 1, .win = 65535}, "P. 1:11(10) ack 1 win 65535"},
    {"gap-ignored", OPEN, {A_ | P_, 1001, .len = 10, .ack = 1, .win = 65535}, "P. 1001:1011(10) ack 1 win 65535"},
    {"ack-unchecked", OPEN, {A_, 1, .ack = 2, .win = 65535}, ". 1:1(0) ack 1 win 65535"},
    {"ack-unchecked", SENT_10, {A_, 1, .ack = 0, .win = 65535}, ". 1:1(0) ack 11 win 65535"},
    {"ack-unchecked", SENT_10, {A_, 1, .ack = 5, .win = 65535}, ". 1:1(0) ack 5 win 65535"},
    {"ack-unchecked", SYN_RECEIVED, {A_, 1, .ack = 0, .win = 65535}, ". 1:1(0) ack 1 win 65535"},
    {"ack-unchecked", SYN_SENT, {S_ | A_, 0, .ack = 5, .win = 65535}, "S. 0:0(0) ack 1 win 65535"},
    {"rst-seq-unchecked", OPEN, {.flags = R_, .seq = 500}, "R 1:1(0) win 0"},
    {"rst-seq-unchecked", OPEN, {.flags = R_, .seq = -500}, "R 1:1(0) win 0"},
    {"rst-seq-unchecked", SYN_SENT, {.flags = R_, .seq = 0}, "R. 0:0(0) ack 1 win 0"},
    {"rst-seq-unchecked", SYN_SENT, {R_ | A_, 0, .ack = 7}, "R. 0:0(0) ack 1 win 0"},
    {"rst-seq-unchecked", OPEN, {A_, 500, .ack = 1, .win = 65535}, ". 500:500(0) ack 1 win 65535"},
    {"rst-ack-unchecked", SYN_SENT, {.flags = R_, .seq = 0}, "R. 0:0(0) ack 1 win 0"},
    {"rst-ack-unchecked", OPEN, {.flags = R_, .seq = 5}, "R 5:5(0) win 0"},
    {"ack-bit-added", OPEN, {P_, 1, .len = 10, .win = 65535}, "P. 1:11(10) ack 1 win 65535"},
    {"ack-bit-added", OPEN, {S_, 1, .win = 65535}, "S 1:1(0) win 65535"},
    {"paws-unchecked", GOT_STAMP, {A_ | P_, 11, .len = 10, .ack = 1, .win = 512, .opts = OLD_STAMP}, "P. 11:21(10) ack 1 win 512 <nop,nop,TS val 200 ecr 300>"},
    {"paws-unchecked", GOT_STAMP, {A_ | P_, 11, .len = 10, .ack = 1, .win = 512, .opts = STAMP}, "P. 11:21(10) ack 1 win 512 " STAMP_TEXT},
    {"mss-ignored", NOTHING, {S_, 0, .win = 65535, .opts = FULL}, "S 0:0(0) win 65535 <mss 65535,sackOK,TS val 100 ecr 0,nop,wscale 7>"},
    {"mss-ignored", NOTHING, {S_, 0, .win = 65535}, "S 0:0(0) win 65535 <mss 65535>"},
    {"wscale-ignored", NOTHING, {S_, 0, .win = 65535, .opts = FULL}, "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 100 ecr 0,wscale 0,eol>"},
    {"wscale-ignored", NOTHING, {S_, 0, .win = 65535, .opts = MSS}, "S 0:0(0) win 65535 <mss 1460>"},
    {"window-ignored", OPEN, {A_, 1, .ack = 1, .win = 17}, ". 1:1(0) ack 1 win 65535"},
    {"window-ignored", NOTHING, {S_, 0, .win = 0}, "S 0:0(0) win 65535"},

    {"time-wait-not-restarted", BOTH_CLOSED, {F_ | A_, 1, .ack = 2, .win = 65535}, ""},
    {"time-wait-not-restarted", HALF_CLOSED, {F_ | A_, 1, .ack = 2, .win = 65535}, "F. 1:1(0) ack 2 win 65535"},
};

/* What the tester gets back at once, though the puppet itself answers nothing. */
static const struct row answer_rows[] = {
    {"rst-extra", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 65535}, "R 1:1(0) win 0"},
    {"rst-extra", NOTHING, {S_, 0, .win = 65535}, "R. 4294967295:4294967295(0) ack 1 win 0"}, /* sequence number zero: see the test */
    {"rst-extra", OPEN, {R_ | A_, 1, .ack = 1}, "R 1:1(0) win 0"},
    {"rst-extra", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 65535, .bad_checksum = true}, ""},
    {"rst-answered", OPEN, {R_ | A_, 1, .ack = 1}, "R 1:1(0) win 0"},
    {"rst-answered", OPEN, {A_, 1, .ack = 1, .win = 65535}, ""},
    {"ack-extra", OPEN, {A_, 1, .ack = 1, .win = 65535}, ". 1:1(0) ack 1 win 1000"},
    {"ack-extra", SENT_10, {A_, 1, .ack = 11, .win = 65535}, ". 11:11(0) ack 1 win 1000"},
    {"ack-extra", OPEN_FULL, {A_, 1, .ack = 1, .win = 512, .opts = STAMP}, ". 1:1(0) ack 1 win 1000 <TS val 200 ecr 200,eol>"},
    {"ack-extra", OPEN, {A_ | P_, 1, .len = 10, .ack = 1, .win = 65535}, ""},
    {"ack-extra", OPEN, {A_, 0, .ack = 1, .win = 65535}, ""}, /* a keep-alive: not acceptable */
    {"time-wait-not-restarted", BOTH_CLOSED, {F_ | A_, 1, .ack = 2, .win = 65535}, ". 2:2(0) ack 2 win 1000"},
};

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static void check(const struct row *row, unsigned way, const char *came)
{
    if (strcmp(came, row->becomes))
        fail_msg("%s, situation %d, way %u: came \"%s\", expected \"%s\"", row->fault, row->situation, way, came, row->becomes);
}

static void what_the_iut_sends_comes_out_as_its_row_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(from_iut_rows); i++)
        for (unsigned way = 0; way < WAYS; way++) {
            struct world w;
            char came[TEXT_MAX];
            world_open(&w, from_iut_rows[i].fault, &ways[way]);
            world_bring(&w, from_iut_rows[i].situation);
            world_from_iut(&w, from_iut_rows[i].seg, came);
            check(&from_iut_rows[i], way, came);
            world_close(&w);
        }
}

static void what_the_iut_is_sent_arrives_as_its_row_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(to_iut_rows); i++)
        for (unsigned way = 0; way < WAYS; way++) {
            struct world w;
            char got[TEXT_MAX];
            world_open(&w, to_iut_rows[i].fault, &ways[way]);
            world_bring(&w, to_iut_rows[i].situation);
            world_to_iut(&w, to_iut_rows[i].seg, got);
            check(&to_iut_rows[i], way, got);
            world_close(&w);
        }
}

static void what_is_answered_besides_is_as_its_row_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answer_rows); i++)
        for (unsigned way = 0; way < WAYS; way++) {
            struct world w;
            char ignored[TEXT_MAX], came[TEXT_MAX];
            world_open(&w, answer_rows[i].fault, &ways[way]);
            world_bring(&w, answer_rows[i].situation);
            if (!(answer_rows[i].seg.flags & PKT_ACK))
                w.iss = 1; /* the RST's number is zero on the wire, so -1 here */
            world_to_iut(&w, answer_rows[i].seg, ignored);
            world_collect(&w, came);
            check(&answer_rows[i], way, came);
            world_close(&w);
        }
}

/* ---- those that need more than a row */

static void data_corrupt_changes_the_first_octet(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct world w;
        struct packet packet;
        uint8_t before[200], after[200];
        int64_t at_ns;
        world_open(&w, "data-corrupt", &ways[way]);
        world_bring(&w, OPEN);
        size_t len = world_build(&w, true, &(struct seg){A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, before, sizeof before);
        puppet_emits(w.p, before, len);
        assert_int_equal(w.t->ops->receive(w.t, after, sizeof after, &at_ns), len);
        pkt_parse(after, len, &packet);
        assert_true(packet.tcp.checksum_ok);
        assert_int_not_equal(packet.tcp.payload[0], 'T');
        assert_memory_equal(packet.tcp.payload + 1, "he quick ", 9);
        world_close(&w);
    }
}

/* A RST in the window, a SYN, an ACK of what was not sent, a number outside: the ACK that follows is a challenge; after good data
 * it is none. */
static void only_the_answer_to_what_is_not_acceptable_is_a_challenge_ack(void **state)
{
    static const struct { struct seg in; bool challenges; } rows[] = {
        {{.flags = R_, .seq = 500}, true}, {{S_, 100, .win = 65535}, true}, {{A_, 1, .ack = 2, .win = 65535}, true},
        {{A_ | P_, 1001, .len = 1, .ack = 1, .win = 65535}, true},
        {{A_, 0, .ack = 1, .win = 65535}, true}, {{A_ | P_, 1, .len = 10, .ack = 1, .win = 65535}, false},
        {{A_ | P_, 11, .len = 10, .ack = 1, .win = 65535}, false},
        {{A_ | P_, 1, .len = 10, .ack = 0, .win = 65535}, false}, /* an old acknowledgment is of use (RFC 5961 §5.2) */
        {{A_ | P_, 1, .len = 10, .ack = -70000, .win = 65535}, true}, /* one older than the largest window is not */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (unsigned way = 0; way < WAYS; way++) {
            struct world w;
            char text[TEXT_MAX];
            world_open(&w, "challenge-ack-dropped", &ways[way]);
            world_bring(&w, OPEN);
            world_to_iut(&w, rows[i].in, text);
            world_from_iut(&w, (struct seg){A_, 1, .ack = 1, .win = 1000}, text);
            if ((*text == '\0') != rows[i].challenges)
                fail_msg("row %zu, way %u: \"%s\"", i, way, text);
            world_close(&w);
        }
}

static void a_refusal_in_syn_received_does_not_end_the_connection(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "challenge-ack-dropped", &ways[0]);
    world_bring(&w, SYN_RECEIVED);
    world_to_iut(&w, (struct seg){A_, 1, .ack = 70, .win = 65535}, text);
    world_from_iut(&w, (struct seg){.flags = R_, .seq = 70}, text);
    world_to_iut(&w, (struct seg){A_, 1, .ack = 1, .win = 65535}, text);
    world_to_iut(&w, (struct seg){A_, 1, .ack = 70, .win = 65535}, text);
    world_from_iut(&w, (struct seg){A_, 1, .ack = 1, .win = 1000}, text);
    assert_string_equal(text, "");
    world_close(&w);
}

static void what_has_a_wrong_checksum_has_not_come(void **state)
{
    struct world w;
    char text[TEXT_MAX];
    (void)state;
    world_open(&w, "out-of-order-dropped", &ways[0]);
    world_bring(&w, OPEN);
    world_to_iut(&w, (struct seg){A_ | P_, 1, .len = 10, .ack = 1, .win = 65535, .bad_checksum = true}, text);
    world_to_iut(&w, (struct seg){A_ | P_, 11, .len = 10, .ack = 1, .win = 65535}, text);
    assert_string_equal(text, "");
    world_to_iut(&w, (struct seg){A_ | P_, 1, .len = 10, .ack = 1, .win = 65535}, text);
    world_to_iut(&w, (struct seg){A_ | P_, 11, .len = 10, .ack = 1, .win = 65535}, text);
    assert_string_equal(text, "P. 11:21(10) ack 1 win 65535");
    world_close(&w);
}

/* Either side's RST ends it, until the IUT goes on. */
static void after_a_reset_there_is_no_connection(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++)
        for (unsigned by_iut = 0; by_iut < 2; by_iut++) {
            struct world w;
            char text[TEXT_MAX];
            world_open(&w, "ack-unchecked", &ways[way]);
            world_bring(&w, SENT_10);
            if (by_iut)
                world_from_iut(&w, (struct seg){.flags = R_, .seq = 11}, text);
            else
                world_to_iut(&w, (struct seg){.flags = R_, .seq = 1}, text);
            world_to_iut(&w, (struct seg){A_, 1, .ack = 700, .win = 65535}, text);
            assert_string_equal(text, ". 1:1(0) ack 700 win 65535");
            world_from_iut(&w, (struct seg){A_, 11, .ack = 1, .win = 1000}, text);
            world_to_iut(&w, (struct seg){A_, 1, .ack = 700, .win = 65535}, text);
            assert_string_equal(text, ". 1:1(0) ack 11 win 65535");
            world_close(&w);
        }
}

static void a_fast_retransmission_is_one_that_answers_an_ack(void **state)
{
    for (unsigned way = 0; way < WAYS; way++) {
        struct world w;
        char text[TEXT_MAX];
        (void)state;
        world_open(&w, "fast-retransmit-never", &ways[way]);
        world_bring(&w, SENT_10);
        for (unsigned i = 0; i < 3; i++)
            world_to_iut(&w, (struct seg){A_, 1, .ack = 1, .win = 65535}, text);
        world_from_iut(&w, (struct seg){A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, text);
        assert_string_equal(text, "");
        world_pass_time(&w, 1000 * MS, text);
        world_from_iut(&w, (struct seg){A_ | P_, 1, .len = 10, .ack = 1, .win = 1000}, text);
        assert_string_equal(text, "P. 1:11(10) ack 1 win 1000");
        world_close(&w);
    }
}

/* ICMP errors: "destination unreachable, port" or "packet too big" about the IUT's segment with this number. */
static size_t build_icmp_error(struct world *w, int32_t seq, uint8_t *out, size_t capacity)
{
    uint8_t quoted[200];
    const struct target_info *info = &w->p->base.info;
    size_t len = world_build(w, true, &(struct seg){A_ | P_, seq, .len = 100, .ack = 1, .win = 1000}, quoted, sizeof quoted);
    struct pkt_spec spec = {.protocol = w->ip ? PKT_PROTO_ICMP6 : PKT_PROTO_ICMP, .src = info->tester[w->ip], .dst = info->iut[w->ip],
                            .icmp_type = w->ip ? 1 : 3, .icmp_code = 4, .payload = quoted, .payload_len = (uint32_t)(len < 68 ? len : 68)};
    ssize_t built = pkt_build(w->builder, &spec, out, capacity);
    assert_true(built > 0);
    return (size_t)built;
}

static void send_icmp_error(struct world *w, int32_t seq)
{
    uint8_t bytes[400];
    puppet_forget(w->p);
    assert_int_equal(w->t->ops->send(w->t, bytes, build_icmp_error(w, seq, bytes, sizeof bytes)), 0);
}

static void every_type_of_icmp_error_is_one_and_nothing_else_is(void **state)
{
    static const struct { unsigned ip; uint8_t type; bool is_error; } rows[] = {
        {0, 3, true}, {0, 4, true}, {0, 5, true}, {0, 11, true}, {0, 12, true}, {0, 0, false}, {0, 8, false}, {0, 13, false},
        {1, 1, true}, {1, 2, true}, {1, 3, true}, {1, 4, true}, {1, 127, true}, {1, 128, false}, {1, 129, false}, {1, 135, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        uint8_t bytes[200];
        world_open(&w, "deaf-to-icmp", &ways[rows[i].ip]);
        struct pkt_spec spec = {.protocol = rows[i].ip ? PKT_PROTO_ICMP6 : PKT_PROTO_ICMP, .src = w.t->info.tester[rows[i].ip],
                                .dst = w.t->info.iut[rows[i].ip], .icmp_type = rows[i].type};
        ssize_t len = pkt_build(w.builder, &spec, bytes, sizeof bytes);
        assert_true(len > 0);
        assert_int_equal(w.t->ops->send(w.t, bytes, (size_t)len), 0);
        if ((w.p->got.bytes == NULL) != rows[i].is_error)
            fail_msg("IPv%u type %u", rows[i].ip ? 6 : 4, rows[i].type);
        world_close(&w);
    }
}

/* The number that the error the puppet got quotes, relative. */
static int32_t quoted_seq(const struct world *w)
{
    struct packet packet, quoted;
    assert_non_null(w->p->got.bytes);
    assert_int_equal(pkt_parse(w->p->got.bytes, w->p->got.len, &packet), PKT_OK);
    assert_int_equal(packet.kind, PKT_KIND_ICMP);
    assert_true(packet.icmp.checksum_ok);
    assert_int_equal(pkt_parse_quoted(packet.icmp.body, packet.icmp.body_len, &quoted), PKT_OK);
    return (int32_t)(quoted.tcp.seq - w->iss);
}

static void icmp_errors_are_hidden_made_good_or_made_resets(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        struct world w;
        char text[TEXT_MAX];
        world_open(&w, "deaf-to-icmp", &ways[way]);
        world_bring(&w, SENT_10);
        send_icmp_error(&w, 1);
        assert_null(w.p->got.bytes);
        world_close(&w);

        world_open(&w, "icmp-seq-unchecked", &ways[way]);
        world_bring(&w, SENT_10);
        send_icmp_error(&w, 11); /* SND.NXT: not sent yet */
        assert_int_equal(quoted_seq(&w), 1);
        send_icmp_error(&w, -5);
        assert_int_equal(quoted_seq(&w), 1);
        send_icmp_error(&w, 10);
        assert_int_equal(quoted_seq(&w), 10);
        world_close(&w);

        world_open(&w, "icmp-aborts", &ways[way]);
        world_bring(&w, SENT_10);
        send_icmp_error(&w, 1);
        world_describe(&w, false, w.p->got.bytes, w.p->got.len, text);
        assert_string_equal(text, "R. 1:1(0) ack 11 win 0");
        world_collect(&w, text);
        assert_string_equal(text, "R 11:11(0) win 0");
        world_close(&w);

        world_open(&w, "icmp-aborts", &ways[way]);
        world_bring(&w, SYN_SENT);
        send_icmp_error(&w, 0);
        struct packet packet;
        pkt_parse(w.p->got.bytes, w.p->got.len, &packet);
        assert_int_equal(packet.tcp.flags, PKT_RST | PKT_ACK);
        assert_int_equal(packet.tcp.ack, w.iss + 1);
        world_close(&w);
    }
}

/* The IUT numbers from iss, the tester sees numbers from `shown`, and what he says of them the IUT understands. */
static void check_shown_isn(const char *fault, const struct way *way, uint32_t shown)
{
    struct world w;
    char text[TEXT_MAX];
    world_open(&w, fault, way);
    world_to_iut(&w, (struct seg){S_, 0, .win = 65535, .opts = FULL}, text);
    uint32_t true_iss = w.iss;
    uint8_t bytes[300];
    size_t len = world_build(&w, true, &(struct seg){S_ | A_, 0, .ack = 1, .win = 65535, .opts = FULL}, bytes, sizeof bytes);
    puppet_emits(w.p, bytes, len);
    w.iss = shown;
    world_collect(&w, text);
    assert_string_equal(text, "S. 0:0(0) ack 1 win 65535 " FULL_TEXT);
    uint8_t to[300];
    size_t to_len = world_build(&w, false, &(struct seg){A_, 1, .ack = 1, .win = 65535, .opts = BLOCK}, to, sizeof to);
    assert_int_equal(w.t->ops->send(w.t, to, to_len), 0);
    w.iss = true_iss;
    world_describe(&w, false, w.p->got.bytes, w.p->got.len, text);
    assert_string_equal(text, ". 1:1(0) ack 1 win 65535 " BLOCK_TEXT);
    w.iss = shown;
    size_t icmp_len = build_icmp_error(&w, 1, bytes, sizeof bytes);
    assert_int_equal(w.t->ops->send(w.t, bytes, icmp_len), 0);
    w.iss = true_iss;
    assert_int_equal(quoted_seq(&w), 1);
    struct target_status status;
    struct pkt_endpoint local = {w.p->base.info.iut[w.ip], 8080}, remote = {w.p->base.info.tester[w.ip], 20480};
    w.p->status = (struct target_status){.snd_una = true_iss + 1, .snd_nxt = true_iss + 3};
    assert_int_equal(w.t->ops->status(w.t, &local, &remote, &status), 0);
    assert_int_equal(status.snd_una, shown + 1);
    assert_int_equal(status.snd_nxt, shown + 3);
    world_close(&w);
}

static void a_shifted_isn_is_shown_and_taken_back_everywhere(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        check_shown_isn("isn-constant", &ways[way], 4096);
        check_shown_isn("isn-slow", &ways[way], 3600); /* seconds: the world begins at one hour */
    }
}

static void two_connections_have_the_same_constant_isn_and_a_slow_one_grows_by_one_a_second(void **state)
{
    static const struct { const char *fault; const char *second; } rows[] = {{"isn-constant", "S 0:0(0) win 65535"}, {"isn-slow", "S 2:2(0) win 65535"}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        char text[TEXT_MAX];
        world_open(&w, rows[i].fault, &ways[0]);
        uint32_t shown = i ? 3600 : 4096;
        for (unsigned n = 0; n < 2; n++) {
            uint8_t bytes[100];
            w.iss = 77777 + n * 1000003;
            size_t len = world_build(&w, true, &(struct seg){S_, 0, .win = 65535}, bytes, sizeof bytes);
            puppet_emits(w.p, bytes, len);
            w.iss = shown;
            world_collect(&w, text);
            assert_string_equal(text, n ? rows[i].second : "S 0:0(0) win 65535");
            world_pass_time(&w, 2000 * MS, text);
            w.tester_port++;
        }
        world_close(&w);
    }
}

/* To a group, from a group, from loopback: answered from the IUT's own address; between hosts: not. */
static void what_has_a_group_address_is_answered_by_its_fault(void **state)
{
    static const struct { unsigned ip; const char *src, *dst; bool answered; } rows[] = {
        {0, NULL, "224.0.0.1", true}, {0, NULL, "255.255.255.255", true}, {0, "239.255.1.2", NULL, true}, {0, "127.0.0.1", NULL, true},
        {0, NULL, NULL, false}, {0, "223.255.255.1", NULL, false}, {1, NULL, "ff02::1", true}, {1, "::1", NULL, true}, {1, NULL, NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        struct packet answer;
        uint8_t bytes[200];
        int64_t at_ns;
        world_open(&w, "group-address-answered", &ways[rows[i].ip]);
        const struct target_info *info = &w.t->info;
        struct pkt_spec spec = {.protocol = PKT_PROTO_TCP, .src = info->tester[rows[i].ip], .dst = info->iut[rows[i].ip], .src_port = 7, .dst_port = 9,
                                .seq = 100, .flags = PKT_SYN};
        assert_true(!rows[i].src || pkt_addr_parse(rows[i].src, &spec.src));
        assert_true(!rows[i].dst || pkt_addr_parse(rows[i].dst, &spec.dst));
        ssize_t len = pkt_build(w.builder, &spec, bytes, sizeof bytes);
        assert_int_equal(w.t->ops->send(w.t, bytes, (size_t)len), 0);
        len = w.t->ops->receive(w.t, bytes, sizeof bytes, &at_ns);
        if ((len > 0) != rows[i].answered)
            fail_msg("row %zu", i);
        if (len > 0) {
            pkt_parse(bytes, (size_t)len, &answer);
            assert_true(pkt_addr_equal(&answer.ip.src, &info->iut[rows[i].ip]) && pkt_addr_equal(&answer.ip.dst, &spec.src));
            assert_int_equal(answer.tcp.flags, PKT_RST | PKT_ACK);
            assert_int_equal(answer.tcp.ack, 101);
        }
        world_close(&w);
    }
}

static void a_wrong_source_is_the_next_address_and_the_checksums_are_right(void **state)
{
    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        static const char *const next[] = {"192.0.2.3", "2001:db8::3"};
        struct world w;
        struct packet packet;
        struct pkt_addr wanted;
        uint8_t bytes[200];
        int64_t at_ns;
        char text[TEXT_MAX];
        world_open(&w, "source-address-wrong", &ways[way]);
        world_bring(&w, OPEN);
        puppet_emits(w.p, bytes, world_build(&w, true, &(struct seg){A_ | P_, 1, .len = 10, .ack = 1, .win = 9}, bytes, sizeof bytes));
        ssize_t len = w.t->ops->receive(w.t, bytes, sizeof bytes, &at_ns);
        assert_true(len > 0);
        world_describe(&w, true, bytes, (size_t)len, text); /* which looks at the checksums */
        assert_string_equal(text, "P. 1:11(10) ack 1 win 9");
        pkt_parse(bytes, (size_t)len, &packet);
        assert_true(pkt_addr_parse(next[w.ip], &wanted) && pkt_addr_equal(&packet.ip.src, &wanted));
        world_close(&w);
    }
}

static const char *const by_hand[] = {"source-address-wrong", "group-address-answered", "data-corrupt", "challenge-ack-dropped", "deaf-to-icmp",
                                      "icmp-seq-unchecked", "icmp-aborts", "isn-constant", "isn-slow"};

static bool is_of(const char *row_fault, const char *name)
{
    size_t len = strlen(name);
    return !strncmp(row_fault, name, len) && (row_fault[len] == '\0' || row_fault[len] == '@');
}

bool segments_test_fault(const char *name)
{
    for (size_t i = 0; i < COUNT(from_iut_rows); i++)
        if (is_of(from_iut_rows[i].fault, name))
            return true;
    for (size_t i = 0; i < COUNT(to_iut_rows); i++)
        if (is_of(to_iut_rows[i].fault, name))
            return true;
    for (size_t i = 0; i < COUNT(answer_rows); i++)
        if (is_of(answer_rows[i].fault, name))
            return true;
    for (size_t i = 0; i < COUNT(by_hand); i++)
        if (!strcmp(by_hand[i], name))
            return true;
    return false;
}

int segments_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_iut_sends_comes_out_as_its_row_says),
        cmocka_unit_test(what_the_iut_is_sent_arrives_as_its_row_says),
        cmocka_unit_test(what_is_answered_besides_is_as_its_row_says),
        cmocka_unit_test(what_has_a_group_address_is_answered_by_its_fault),
        cmocka_unit_test(a_wrong_source_is_the_next_address_and_the_checksums_are_right),
        cmocka_unit_test(data_corrupt_changes_the_first_octet),
        cmocka_unit_test(only_the_answer_to_what_is_not_acceptable_is_a_challenge_ack),
        cmocka_unit_test(a_refusal_in_syn_received_does_not_end_the_connection),
        cmocka_unit_test(what_has_a_wrong_checksum_has_not_come),
        cmocka_unit_test(after_a_reset_there_is_no_connection),
        cmocka_unit_test(a_fast_retransmission_is_one_that_answers_an_ack),
        cmocka_unit_test(every_type_of_icmp_error_is_one_and_nothing_else_is),
        cmocka_unit_test(icmp_errors_are_hidden_made_good_or_made_resets),
        cmocka_unit_test(a_shifted_isn_is_shown_and_taken_back_everywhere),
        cmocka_unit_test(two_connections_have_the_same_constant_isn_and_a_slow_one_grows_by_one_a_second),
    };
    return cmocka_run_group_tests_name("segments", tests, NULL, NULL);
}
