/* A way in and its events as the text of a scenario: front matter, a table with a row an event, the preamble, the event, the
 * probes.
 *
 * The probes are the same after every event, since nobody but the IUT knows where it went; docs/matrix.md shows why these tell all
 * states apart. Each asks one thing, and a fence behind it makes sure that its answer is there before the next one is asked. What
 * the tester knows of the IUT's numbers is what the IUT itself has said: snd_una() is its RCV.NXT, rcv_nxt() its SND.NXT.
 */
#include "engine/scenario/matrix/inside.h"

#include <inttypes.h>
#include <string.h>

/* ---- front matter and table ---------------------------------------------------------------------------------------- */

static const char *covers_of(enum tcp_state state)
{
    static const char *const covers[TCP_STATE_COUNT] = {
        [TCP_STATE_CLOSED] = "RFC9293:3.10.7.1-b RFC9293:3.10.7.1-a RFC9293:3.10.7.1-c RFC9293:3.10.7.1-d",
        [TCP_STATE_LISTEN] = "RFC9293:3.10.7.2-b RFC9293:3.10.7.2-a RFC9293:3.10.7.2-c RFC9293:3.10.7.2-e",
        [TCP_STATE_SYN_SENT] = "RFC9293:3.10.7.3-a RFC9293:3.10.7.3-b RFC9293:3.10.7.3-c RFC9293:3.10.7.3-d RFC9293:3.10.7.3-f RFC9293:3.10.7.3-h",
    };
    return covers[state] ? covers[state]
                         : "RFC9293:3.10.7.4-a RFC9293:3.10.7.4-b RFC9293:3.10.7.4-c RFC9293:3.10.7.4-f RFC9293:3.10.7.4-l RFC9293:3.10.7.4-n";
}

static void write_front_matter(FILE *out, const struct way *way)
{
    const char *state = tcp_state_name(way->state);
    fprintf(
        out,
            "//: title      Whatever arrives in %s is answered as permitted (%s)\n"
            "//: purpose    A case of the state\303\227event matrix (RFC 9293 \302\2473.10.7): the IUT is brought into %s, a segment arrives, and probes show which state\n"
            "//: purpose    that leads to. No reaction is expected here: the model judges them all.\n"
            "//: covers     %s\n"
            "//: needs      %s%s\n"
            "//: killed-by  %s\n"
            "//: profile    quick\n"
            "//: ip         %d\n"
            "//: isn        %" PRIu32 "\n\n",
            state, strrchr(way->name, '/') + 1, state, covers_of(way->state), way->features & WAY_ACTIVE ? "connect" : "listen",
            way->features & WAY_IPV6 ? " ipv6" : "",
            way->state <= TCP_STATE_SYN_SENT ? "rst-seq-plus-one rst-dropped" : "ack-plus-one challenge-ack-dropped rst-seq-plus-one",
            way->features & WAY_IPV6 ? 6 : 4, way->isn);
}

static void write_row(FILE *out, const struct way *way, const struct segment_class *c)
{
    char flags[32];
    pkt_format_flags(c->flags, flags, sizeof flags);
    fprintf(out, "    (\"%s\", %s, %" PRId64 ", %d, %d, %d, %" PRId64, c->name, flags, c->seq, c->from_edge, c->octets,
            c->whole_window, c->ack);
    if (way->features & WAY_STAMPED)
        fprintf(out, ", %d, %" PRIu32 ", %" PRId64, c->stamped, c->tsval, c->tsecr);
    if (way->features & WAY_FIN_UNACKED)
        fprintf(out, ", %d", c->watched);
    if (way->state == TCP_STATE_TIME_WAIT)
        fprintf(out, ", %d", c->syn);
    fputs(")", out);
}

static void write_table(FILE *out, const struct way *way, const struct event *events, unsigned count)
{
    fprintf(out,
            "// The segment that arrives: flags; SEG.SEQ, %s; octets of\n"
            "// text, besides the whole window (1) or not; SEG.ACK%s%s%s%s.\n"
            "each $case, $flags, $from, $edge, $octets, $whole, $ack%s%s%s in\n",
            matrix_is_absolute(way) ? "as it stands on the wire" : "from RCV.NXT (0) or from the right edge of the window (1)",
            way->state <= TCP_STATE_LISTEN ? ", as it stands on the wire" : "",
            way->features & WAY_STAMPED ? "; has timestamps; TSval; what is added to the TSecr" : "",
            way->features & WAY_FIN_UNACKED ? "; whether a retransmission is waited for before the probes" : "",
            way->state == TCP_STATE_TIME_WAIT ? "; whether it may begin a new connection" : "",
            way->features & WAY_STAMPED ? ", $stamped, $val, $echo" : "", way->features & WAY_FIN_UNACKED ? ", $watched" : "",
            way->state == TCP_STATE_TIME_WAIT ? ", $new" : "");
    for (unsigned i = 0; i < count; i++) {
        struct segment_class c;
        matrix_event_class(way, &events[i], &c);
        write_row(out, way, &c);
        fputs(i + 1 < count ? ",\n" : "\n\n", out);
    }
}

/* What a probe, or an event, echoes. In SYN-RECEIVED some stacks know only the timestamps of their SYN-ACKs, not of an ACK sent
 * since. */
static const char *echo_of(const struct way *way)
{
    return way->state == TCP_STATE_SYN_RECEIVED ? "$theirs" : "ts_recent()";
}

/* ---- preamble ------------------------------------------------------------------------------------------------------ */

#define STAMPED_SYN_ACK \
    "either {\n" \
    "    *       > S. 0:0(0) ack 1 <TS val $theirs ecr *, ...>\n" \
    "} or {\n" \
    "    *       > S. 0:0(0) ack 1\n" \
    "    skip \"the IUT does not use timestamps\"\n" \
    "}\n"

/* Replaces the markers. */
static void write_piece(FILE *out, const struct way *way, const char *piece)
{
    bool stamped = way->features & WAY_STAMPED;
    for (; *piece; piece++) {
        if (*piece == *MARK_SYN)
            fputs("<mss 1460", out);
        if (*piece == *MARK_SYN && stamped)
            fprintf(out, ", TS val %d ecr ts_recent()", TESTER_TSVAL);
        if (*piece == *MARK_OPTIONS && stamped)
            fprintf(out, " <TS val %d ecr ts_recent()>", TESTER_TSVAL);
        if (*piece == *MARK_SYN_ACK)
            fputs(stamped ? STAMPED_SYN_ACK : "*       > S. 0:0(0) ack 1 <...>\n", out);
        else if (*piece == *MARK_SYN)
            fputc('>', out);
        else if (*piece != *MARK_OPTIONS)
            fputc(*piece, out);
    }
}

static void write_preamble(FILE *out, const struct way *way)
{
    fputs("//: preamble\n", out);
    for (unsigned i = 0; i < WAY_STEPS_MAX && way->steps[i]; i++)
        write_piece(out, way, way->steps[i]);
    fprintf(out, "fence\n+0      state %s\n", tcp_state_name(way->state));
    if (!matrix_is_absolute(way))
        fputs("let $rcv = snd_una()\nlet $window = window()\n", out);
}

/* ---- the event ----------------------------------------------------------------------------------------------------- */

static void write_injection(FILE *out, const struct way *way, const char *indent, bool stamped)
{
    const char *ack = way->state <= TCP_STATE_LISTEN ? "abs($ack)" : "$ack";
    const char *seq = matrix_is_absolute(way) ? "abs($seq)" : "$seq";
    fprintf(out, "%s+0      < $flags %s:%s+$len($len) ack %s win 65535 urg $len", indent, seq, seq, ack);
    if (stamped)
        fprintf(out, " <TS val $val ecr %s + $echo>", echo_of(way));
    fputc('\n', out);
}

static void write_event(FILE *out, const struct way *way)
{
    bool absolute = matrix_is_absolute(way);
    fprintf(out, "//: body\n// The event.\nlet $seq = %s\nlet $len = %s\n", absolute ? "$from + $edge" : "$rcv + $edge * $window + $from",
            absolute ? "$octets + $whole" : "$octets + $whole * $window");
    if (way->state == TCP_STATE_TIME_WAIT)
        fputs("repeat $new {\n    incarnation\n}\n", out);
    if (way->features & WAY_STAMPED) {
        fputs("repeat $stamped {\n", out);
        write_injection(out, way, "    ", true);
        fputs("}\nrepeat (1 - $stamped) {\n", out);
        write_injection(out, way, "    ", false);
        fputs("}\n", out);
    } else {
        write_injection(out, way, "", false);
    }
    fputs("fence\n", out);
}

/* ---- the probes ---------------------------------------------------------------------------------------------------- */

/* The marker stands where the options of a probe belong. */
static void write_probe(FILE *out, const struct way *way, const char *text)
{
    for (; *text; text++)
        if (*text != *MARK_OPTIONS)
            fputc(*text, out);
        else if (way->features & WAY_STAMPED)
            fprintf(out, " <TS val %d ecr %s>", PROBE_TSVAL, echo_of(way));
}

/* The old octet ends one before what the IUT has acknowledged: some stacks take what ends just there for a part of the window. */
static void write_probes(FILE *out, const struct way *way)
{
    if (way->features & WAY_FIN_UNACKED)
        fputs("// Is a FIN unacknowledged? Then it comes again.\nrepeat $watched {\n    +1.5    wait\n}\n", out);
    fprintf(out, "// An octet that is old for sure, with the acknowledgment that was known before: who answers, and with which numbers?\n"
                 "let $old = snd_una() - 2\n+0      < P. $old:$old+1(1) ack %d", way->una);
    write_probe(out, way, MARK_OPTIONS "\nfence\n"
                "// An acknowledgment of what was never sent: only SYN-RECEIVED, of the states that have numbers, answers with a reset.\n"
                "let $rcv_nxt = snd_una()\nlet $snd_nxt = rcv_nxt()\n"
                "+0      < .  $rcv_nxt:$rcv_nxt(0) ack ($snd_nxt + 1)" MARK_OPTIONS "\nfence\n"
                "// An acknowledgment of all that was sent: SYN-RECEIVED becomes ESTABLISHED, CLOSING TIME-WAIT, LAST-ACK CLOSED;\n"
                "// SYN-SENT is silent, and not CLOSED nor LISTEN.\n"
                "+0      < .  $rcv_nxt:$rcv_nxt(0) ack $snd_nxt" MARK_OPTIONS "\nfence\n"
                "// The old octet again: where there is no connection any more, that was LAST-ACK.\n"
                "+0      < P. $rcv_nxt-2:$rcv_nxt-1(1) ack $snd_nxt" MARK_OPTIONS "\nfence\n"
                "// A FIN, and the old octet: acknowledged by one more, when there was no FIN before.\n"
                "+0      < F. $rcv_nxt:$rcv_nxt(0) ack $snd_nxt" MARK_OPTIONS "\nfence\n"
                "+0      < P. $rcv_nxt-2:$rcv_nxt-1(1) ack $snd_nxt" MARK_OPTIONS "\nfence\n");
    if (way->features & WAY_APPLICATION)
        fputs("// What the application was given of all that.\n+0      recv(4, ..., 100000, MSG_DONTWAIT) = ...\n", out);
    fputs("// A reset, which ends any connection; then a new SYN, which tells LISTEN from CLOSED.\n", out);
    write_probe(out, way,
                "+0      < R. snd_una():snd_una()(0) ack rcv_nxt()" MARK_OPTIONS "\nfence\n"
                "let $fresh = mod32(irs() + 300000)\nincarnation\n"
                "+0      < S  abs($fresh):abs($fresh)(0) win 65535 <mss 1460>\nfence\n"
                "//: postamble\n"
                "+0      < R  snd_una():snd_una()(0)\n");
}

void matrix_write_script(FILE *out, const struct way *way, const struct event *events, unsigned count)
{
    write_front_matter(out, way);
    write_table(out, way, events, count);
    write_preamble(out, way);
    write_event(out, way);
    write_probes(out, way);
}
