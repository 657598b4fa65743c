// Reads a segment as the scenario language writes it in a trace (docs/scenario-language.md), and its numbers on the wire.

const FLAG_NAMES = { S: "SYN", F: "FIN", R: "RST", P: "PSH", ".": "ACK", U: "URG", E: "ECE", W: "CWR" };
const SEGMENT = /^(?:([<>]) )?(?:(@\S+) )?([SFRP.UEWA]{1,9}|-) (-?\d{1,10}):(-?\d{1,10})\((\d{1,7})\)(?: ack (-?\d{1,10}))?(?: win (\d{1,10}))?(?: urg (\d{1,5}))?(?: <([^>]*)>)?(?: with (.*))?$/su;

// Members: from ("tester" or "IUT"), kind ("tcp", "icmp" or "other"), flags, seq, end, len, ack, win, urg, options, extra, text. What is not
// there is null. Whatever the text is, an answer comes.
export function parseSegment(text) {
    const whole = String(text ?? "");
    const found = SEGMENT.exec(whole.slice(0, 2000));
    const sign = whole[0] === "<" ? "tester" : whole[0] === ">" ? "IUT" : null;
    const bare = sign && whole[1] === " " ? whole.slice(2) : whole;
    const none = { from: sign, flags: "", seq: null, end: null, len: null, ack: null, win: null, urg: null, options: "", extra: "", text: bare };
    if (!found || whole.length > 2000) return { ...none, kind: bare.startsWith("icmp ") ? "icmp" : "other" };
    const number = (part) => (part === undefined ? null : Number(part));
    return {
        from: sign, kind: "tcp", flags: found[3], seq: number(found[4]), end: number(found[5]), len: number(found[6]), ack: number(found[7]),
        win: number(found[8]), urg: number(found[9]), options: found[10] ?? "", extra: found[11] ?? "", text: bare,
    };
}

// "seq 3808748619 ack 0 on the wire": what stands beside a segment in a trace; null without.
export function parseWire(text) {
    const found = /^seq (\d{1,10}) ack (\d{1,10}) on the wire/.exec(text ?? "");
    return found && { seq: Number(found[1]), ack: Number(found[2]) };
}

// "SYN,ACK"; "no flags". The letters that say what a segment is come first.
export function flagNames(flags) {
    const order = "SFR.PUEWA";
    const names = [...order].filter((letter) => flags.includes(letter)).map((letter) => FLAG_NAMES[letter] ?? "AE");
    return names.length ? names.join(",") : "no flags";
}

// Numbers from 2^31 on, counted from an initial number, lie before it.
function signed(number, isRelative) {
    return isRelative && number >= 2 ** 31 ? number - 2 ** 32 : number;
}

// The numbers to show: { seq, end, ack }, relative to the initial ones, or as on the wire where the trace says these.
export function segmentNumbers(segment, wire, numbers) {
    if (segment.kind !== "tcp") return { seq: null, end: null, ack: null };
    if (numbers === "absolute" && wire)
        return { seq: wire.seq, end: (wire.seq + segment.len) % 2 ** 32, ack: segment.ack === null ? null : wire.ack };
    const seqRelative = !wire || wire.seq !== segment.seq, ackRelative = !wire || wire.ack !== segment.ack;
    return {
        seq: signed(segment.seq, seqRelative), end: signed(segment.end, seqRelative),
        ack: segment.ack === null ? null : signed(segment.ack, ackRelative),
    };
}

// One line: "SYN,ACK 0:0(0) ack 1 win 65535"; without options.
export function segmentText(segment, wire, numbers) {
    if (segment.kind !== "tcp") return segment.text;
    const n = segmentNumbers(segment, wire, numbers);
    return `${flagNames(segment.flags)} ${n.seq}:${n.end}(${segment.len})` + (n.ack === null ? "" : ` ack ${n.ack}`) +
        (segment.win === null ? "" : ` win ${segment.win}`) + (segment.urg === null ? "" : ` urg ${segment.urg}`);
}

// The initial sequence numbers that a segment's two ways of being written give away: { own, other }, each null where not known.
export function initialNumbers(segment, wire) {
    if (segment.kind !== "tcp" || !wire) return { own: null, other: null };
    const base = (absolute, relative) => (relative === null || absolute === relative ? null : (absolute - relative + 2 ** 33) % 2 ** 32);
    return { own: base(wire.seq, segment.seq), other: segment.flags.includes(".") ? base(wire.ack, segment.ack) : null };
}
