// When stacks send again, how fast they answer, and the numbers they begin with: measured from traces, drawn against the RFCs' bounds.
import { svg } from "../dom.js";
import { flagNames, parseSegment, parseWire } from "./segment.js";
import { clipText, countText, decades, linearScale, logScale, roundTicks, secondsText, visibleText } from "./scale.js";

// ---- measuring ------------------------------------------------------------------------------------------------------------
//
// A schedule is the times of one segment's transmissions, as long as only a timer can have caused them: it ends when the tester sends
// something, but for what came before the first of them. A segment is known by its numbers on the wire.

const TIMING_KINDS = ["syn", "syn-ack", "data", "fin", "probe"];

function scheduleKind(segment, wire, tester) {
    if (segment.flags.includes("S")) return segment.flags.includes(".") ? "syn-ack" : "syn";
    if (segment.flags.includes("R")) return null;
    if (segment.flags.includes("F")) return "fin";
    if (tester.win === 0 && tester.ack !== null && segment.len <= 1 && (wire.seq === tester.ack || (wire.seq + 1) % 2 ** 32 === tester.ack)) return "probe";
    return segment.len > 0 ? "data" : null;
}

function closeSchedules(open, all) {
    for (const schedule of open.values()) if (schedule.at_ns.length > 1 || schedule.given_up_ns !== undefined) all.push(schedule);
    open.clear();
}

// The answer to a probe of a closed window leaves all as it is.
function keepsClosed(segment, wire, tester) {
    return segment.win === 0 && tester.win === 0 && segment.len === 0 && segment.flags === "." && wire.ack === tester.ack;
}

// Measurements of one test: { kind: "syn" "syn-ack" "data" "fin" "probe", test, at_ns: [since the first transmission …], given_up_ns },
// { kind: "isn", test, isn, at_ns (since the run began; null in virtual time) }, { kind: "handshake", test, ns }.
export function timingOf(test, trace) {
    const all = [], open = new Map(), tester = { win: null, ack: null }, isns = new Set();
    let asked = null;
    for (const event of trace ?? []) {
        if (event.kind === "return" && open.size && /\bETIMEDOUT\b/u.test(event.text)) {
            for (const schedule of open.values()) schedule.given_up_ns = event.at_ns - schedule.first_ns;
            closeSchedules(open, all);
        }
        if (event.kind !== "sent" && event.kind !== "received" && event.kind !== "dropped") continue;
        const segment = parseSegment(event.segment), wire = parseWire(event.text);
        if (segment.kind !== "tcp" || !wire) {
            if (event.kind === "sent") closeSchedules(open, all);
            continue;
        }
        if (event.kind === "sent") {
            if (!keepsClosed(segment, wire, tester)) closeSchedules(open, all);
            tester.win = segment.win;
            tester.ack = segment.ack === null ? tester.ack : wire.ack;
            asked = segment.flags === "S" ? { at_ns: event.at_ns, ack: (wire.seq + segment.len + 1) % 2 ** 32 } : null;
            continue;
        }
        if (segment.from === "tester") continue;
        if (segment.flags.includes("S")) noteAnswer(test, event, segment, wire, asked, isns, all);
        asked = null;
        noteTransmission(test, event, segment, wire, tester, open);
    }
    closeSchedules(open, all);
    return all;
}

// A number counts once in a test: a SYN that comes again brings it again.
function noteAnswer(test, event, segment, wire, asked, isns, all) {
    if (!isns.has(wire.seq)) all.push({ kind: "isn", test: test.id, isn: wire.seq, at_ns: test.started_ns ? test.started_ns + event.at_ns : null });
    isns.add(wire.seq);
    if (asked && segment.flags.includes(".") && wire.ack === asked.ack) all.push({ kind: "handshake", test: test.id, ns: event.at_ns - asked.at_ns });
}

function noteTransmission(test, event, segment, wire, tester, open) {
    const kind = scheduleKind(segment, wire, tester);
    if (!kind) return;
    const key = kind === "probe" ? "probe" : `${wire.seq} ${segment.flags} ${segment.len}`;
    const schedule = open.get(key);
    if (schedule) schedule.at_ns.push(event.at_ns - schedule.first_ns);
    else open.set(key, { kind, test: test.id, segment: flagNames(segment.flags), first_ns: event.at_ns, at_ns: [0] });
}

// ---- schedules ------------------------------------------------------------------------------------------------------------------

// What each plot says of its bound: the least timeout, in seconds, of which the earliest time of the n-th retransmission follows (null: none is
// asked for), and how long it must go on.
const TIMING_PLOTS = {
    syn: { title: "Retransmissions of the SYN", rto: 1, r2: 180, r2_text: "R2: 3 minutes at least (RFC 9293 MUST-23)", says: "An initial timeout of 1 s (RFC 6298 §2, SHOULD), doubled each time (§5.5, MUST); it is not given up before 3 minutes." },
    "syn-ack": { title: "Retransmissions of the SYN,ACK", rto: 1, r2: null, r2_text: "", says: "As for the SYN: 1 s (RFC 6298 §2, SHOULD), doubled each time (§5.5, MUST)." },
    data: { title: "Retransmissions of data", rto: 1, r2: 100, r2_text: "R2: 100 s or more (RFC 9293 SHLD-11)", says: "A timeout of 1 s at least (RFC 6298 §2.4, SHOULD), doubled each time (§5.5, MUST), and 100 s or more until it is given up (SHOULD)." },
    fin: { title: "Retransmissions of the FIN", rto: 1, r2: 100, r2_text: "R2: 100 s or more (RFC 9293 SHLD-11)", says: "A FIN is sent again as data are." },
    probe: { title: "Probes of a closed window", rto: null, r2: null, r2_text: "", says: "The first after a timeout (RFC 9293 SHLD-29), the interval growing exponentially (SHLD-30); as long as they are answered, the connection stays (MUST-37)." },
};

const PLOT_HIGH = 300, PLOT_LEFT = 64, PLOT_RIGHT = 16, PLOT_TOP = 18, PLOT_BOTTOM = 44;

// Schedules that agree to a twentieth are one line: { at_s, tests: [ids], given_up_s }.
export function groupSchedules(schedules) {
    const groups = new Map();
    for (const schedule of schedules) {
        const at_s = schedule.at_ns.map((ns) => ns / 1e9), key = at_s.slice(1).map((s) => Math.round(Math.log(Math.max(s, 1e-6)) * 10)).join(" ");
        const group = groups.get(key) ?? { at_s, tests: [], given_up_s: null };
        group.tests.push(schedule.test);
        if (schedule.given_up_ns !== undefined) group.given_up_s = schedule.given_up_ns / 1e9;
        groups.set(key, group);
    }
    return [...groups.values()].sort((a, b) => b.tests.length - a.tests.length || b.at_s.length - a.at_s.length);
}

function axisText(text, x, y, anchor) {
    return svg("text", { class: "d-axis-text", x, y, "text-anchor": anchor }, text);
}

function timeAxis(x, high, low_s, high_s) {
    return decades(low_s, high_s).map((tick) => [svg("line", { class: "d-gridline", x1: x(tick), y1: PLOT_TOP, x2: x(tick), y2: high - PLOT_BOTTOM }),
        axisText(secondsText(tick * 1e9), x(tick), high - PLOT_BOTTOM + 16, "middle")]);
}

function plotFrame(wide, high, spoken, ...inside) {
    return svg("svg", { class: "d-plot", role: "group", "aria-label": spoken, width: wide, height: high, viewBox: `0 0 ${wide} ${high}` },
        svg("path", { class: "d-frame", d: `M${PLOT_LEFT} ${PLOT_TOP}V${high - PLOT_BOTTOM}H${wide - PLOT_RIGHT}` }), inside);
}

// Left of this, a retransmission comes before an exponential backoff from the least timeout allows it.
function boundShape(x, y, plot, most, left) {
    let path = `M${left} ${y(1) + 14}`;
    let at = 0, rto = plot.rto;
    for (let n = 1; n <= most; n++) {
        at += rto;
        rto = Math.min(rto * 2, 60);
        path += `H${Math.min(x(at), x.end)}V${y(n) - (n < most ? (y(n) - y(n + 1)) / 2 : 14)}`;
    }
    return `${path}H${left}Z`;
}

function scheduleSpoken(group) {
    return `${countText(group.tests.length)} ${group.tests.length === 1 ? "test" : "tests"}: sent again after ${group.at_s.slice(1).map((s) => secondsText(s * 1e9)).join(", ")}` +
        (group.given_up_s === null ? "" : `; given up after ${secondsText(group.given_up_s * 1e9)}`);
}

const TIMING_SHAPES = [(x, y) => `M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`, (x, y) => `M${x - 4} ${y - 4}h8v8h-8z`, (x, y) => `M${x} ${y - 5}l5 9h-10z`, (x, y) => `M${x} ${y - 5}l5 5l-5 5l-5 -5z`];

function drawSchedule(group, place, x, y, link) {
    const shape = TIMING_SHAPES[place % TIMING_SHAPES.length], spoken = scheduleSpoken(group), points = group.at_s.slice(1).map((s, i) => [x(s), y(i + 1)]);
    const parts = [svg("title", null, spoken), svg("path", { class: "d-schedule", d: points.map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("") }),
        points.map(([px, py]) => svg("path", { class: "d-point", d: shape(px, py) })),
        group.given_up_s === null ? null : svg("path", { class: "d-given-up", d: `M${x(group.given_up_s) - 5} ${y(group.at_s.length - 0.5) - 5}l10 10m0 -10l-10 10` })];
    const name = `d-group d-group-${place % TIMING_SHAPES.length}`;
    return link ? svg("a", { class: name, href: link("test", group.tests[0]) }, parts) : svg("g", { class: name, role: "img", "aria-label": spoken }, parts);
}

function drawSchedules(kind, schedules, { wide, link }) {
    const plot = TIMING_PLOTS[kind], groups = groupSchedules(schedules).filter((group) => group.at_s.length > 1);
    if (!groups.length) return null;
    const most = Math.min(20, Math.max(...groups.map((group) => group.at_s.length - 1)));
    const times = groups.flatMap((group) => [...group.at_s.slice(1), group.given_up_s ?? 0]).filter((s) => s > 0);
    const low = 10 ** Math.floor(Math.log10(Math.max(1e-3, Math.min(0.5, ...times)))), high_s = Math.max(10, plot.r2 ?? 0, ...times) * 1.3;
    const high = Math.min(520, Math.max(180, PLOT_TOP + PLOT_BOTTOM + 30 + most * 26));
    const x = logScale(low, high_s, PLOT_LEFT + 10, wide - PLOT_RIGHT), y = linearScale(1, Math.max(2, most), high - PLOT_BOTTOM - 22, PLOT_TOP + 18);
    x.end = wide - PLOT_RIGHT;
    const figure = plotFrame(wide, high, `${plot.title}: ${groups.map(scheduleSpoken).slice(0, 8).join("; ")}`,
        plot.rto ? svg("path", { class: "d-bound", d: boundShape(x, y, plot, Math.max(2, most), PLOT_LEFT) }) : null, timeAxis(x, high, low, high_s),
        plot.r2 ? [svg("line", { class: "d-limit", x1: x(plot.r2), y1: 4, x2: x(plot.r2), y2: high - PLOT_BOTTOM }), axisText(clipText(wide < 600 ? plot.r2_text.split(" (")[0] : plot.r2_text, Math.floor((x(plot.r2) - 110) / 7.3)), x(plot.r2) - 6, 12, "end")] : [],
        Array.from({ length: most }, (_, i) => axisText(`${i + 1}.`, PLOT_LEFT - 8, y(i + 1) + 4, "end")), groups.slice(0, 400).map((group, place) => drawSchedule(group, place, x, y, link)),
        axisText("since the first transmission", wide - PLOT_RIGHT, high - 8, "end"), axisText("retransmission", 4, 12, "start"));
    const usual = groups[0];
    return { title: plot.title, figure, text: `${plot.says}${plot.rto ? " Shaded: earlier than that." : ""} ${countText(schedules.length)} schedules; the most frequent: ${scheduleSpoken(usual)}.` +
        (groups.some((group) => group.given_up_s !== null) ? " ✕: given up, as a rule since the test had asked for few attempts." : "") };
}

// ---- initial sequence numbers ------------------------------------------------------------------------------------------------------

// What can be said of a list of numbers: how many are the same, how evenly they lie, how many follow closely upon the one before.
export function isnFacts(numbers) {
    const bins = new Array(16).fill(0), seen = new Set(numbers);
    let near = 0;
    numbers.forEach((isn, i) => {
        bins[Math.floor(isn / 2 ** 28)]++;
        if (i > 0 && (isn - numbers[i - 1] + 2 ** 32) % 2 ** 32 < 2 ** 20) near++;
    });
    const even = numbers.length / 16, chi = bins.reduce((sum, count) => sum + (count - even) ** 2 / even, 0);
    return { count: numbers.length, same: numbers.length - seen.size, chi, near };
}

function isnText(facts, timed) {
    if (facts.count < 20) return `${countText(facts.count)} initial sequence numbers: too few to say how they are chosen.`;
    const spread = facts.chi < 40 ? "they are spread evenly over all 2³² values" : facts.chi < 200 ? "they are spread unevenly" : "most lie in a few places only";
    return `${countText(facts.count)} initial sequence numbers: ${spread}; ${facts.same ? `${countText(facts.same)} came more than once` : "none came twice"}; ${countText(facts.near)} lie within 2²⁰ after the one before. ` +
        `RFC 6528 wants numbers that nobody outside can foretell: an even spread, and few that are near the one before.${timed ? "" : " (In the order of the tests' names; targets in virtual time begin alike in each test.)"}`;
}

// In the order in which they came where the run has a clock; else as the tests are listed.
export function isnsInTime(isns) {
    const timed = isns.every((m) => m.at_ns !== null);
    return { timed, list: timed ? [...isns].sort((a, b) => a.at_ns - b.at_ns) : isns };
}

function drawIsns(isns, { wide, link }) {
    if (!isns.length) return null;
    const { timed, list } = isnsInTime(isns), text = isnText(isnFacts(list.map((m) => m.isn)), timed), high = PLOT_HIGH;
    const place = timed ? (m) => (m.at_ns - list[0].at_ns) / 1e9 : (m, i) => i, last = Math.max(timed ? 1e-6 : 1, place(list[list.length - 1], list.length - 1));
    const x = linearScale(0, last, PLOT_LEFT + 6, wide - PLOT_RIGHT - 6), y = linearScale(0, 2 ** 32, high - PLOT_BOTTOM, PLOT_TOP);
    const step = Math.max(1, Math.ceil(list.length / 4000));
    const dots = list.map((m, i) => (i % step === 0 ? `M${x(place(m, i)).toFixed(1)} ${y(m.isn).toFixed(1)}h0` : "")).join("");
    const quarters = [0, 1, 2, 3, 4].map((quarter) => [svg("line", { class: "d-gridline", x1: PLOT_LEFT, y1: y(quarter * 2 ** 30), x2: wide - PLOT_RIGHT, y2: y(quarter * 2 ** 30) }),
        axisText(["0", "2³⁰", "2³¹", "3·2³⁰", "2³²"][quarter], PLOT_LEFT - 6, y(quarter * 2 ** 30) + 4, "end")]);
    const axis = axisText(timed ? `time: ${secondsText(last * 1e9)} from the first to the last` : "connections, in the order of the tests' names", wide - PLOT_RIGHT, high - 12, "end");
    return { title: "Initial sequence numbers", text, figure: plotFrame(wide, high, text, quarters, svg("path", { class: "d-dots", d: dots }), axis), href: link ? link("test", list[0].test) : null };
}

// ---- latency ---------------------------------------------------------------------------------------------------------------------------

export function latencyBins(list_ns) {
    const sorted = [...list_ns].sort((a, b) => a - b), at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    const bins = new Map();
    for (const ns of sorted) {
        const bin = ns <= 0 ? -Infinity : Math.floor(Math.log10(ns) * 5);
        bins.set(bin, (bins.get(bin) ?? 0) + 1);
    }
    return { count: sorted.length, median: at(0.5), p99: at(0.99), most: sorted[sorted.length - 1], bins };
}

function drawLatency(handshakes, { wide }) {
    if (!handshakes.length) return null;
    const facts = latencyBins(handshakes.map((m) => m.ns)), title = "Time to answer a SYN", high = 240;
    if (facts.most <= 0) return { title, text: `${countText(facts.count)} handshakes, each answered in the same moment: this target's time is virtual.`, figure: null };
    const text = `${countText(facts.count)} handshakes: half within ${secondsText(facts.median)}, 99 of 100 within ${secondsText(facts.p99)}, the slowest ${secondsText(facts.most)}. As the tester sees it, its own delays included.`;
    const finite = [...facts.bins.keys()].filter(Number.isFinite), first = Math.min(...finite), last = Math.max(...finite), peak = Math.max(...facts.bins.values());
    const x = linearScale(first, last + 1, PLOT_LEFT + 6, wide - PLOT_RIGHT - 6), y = linearScale(0, peak, high - PLOT_BOTTOM, PLOT_TOP);
    const bars = finite.map((bin) => {
        const spoken = `${secondsText(10 ** (bin / 5))} to ${secondsText(10 ** ((bin + 1) / 5))}: ${countText(facts.bins.get(bin))}`;
        return svg("rect", { class: "d-bar", x: x(bin) + 1, y: y(facts.bins.get(bin)), width: Math.max(2, x(bin + 1) - x(bin) - 2), height: Math.max(1, high - PLOT_BOTTOM - y(facts.bins.get(bin))) }, svg("title", null, spoken));
    });
    const ticks = [];
    const every = last - first >= 6 ? 5 : 1;
    for (let bin = Math.ceil(first / every) * every; bin <= last + 1; bin += every) ticks.push(axisText(secondsText(10 ** (bin / 5)), x(bin), high - PLOT_BOTTOM + 16, "middle"));
    return { title, text, figure: plotFrame(wide, high, text, roundTicks(peak, 4).filter((n) => n <= peak).map((n) => [svg("line", { class: "d-gridline", x1: PLOT_LEFT, y1: y(n), x2: wide - PLOT_RIGHT, y2: y(n) }), axisText(countText(n), PLOT_LEFT - 6, y(n) + 4, "end")]), bars, ticks) };
}

// measurements: of all tests, those of timingOf(). [{ title, text, figure (an element, or null when the text says it all) }]
export function drawTiming(measurements, options = {}) {
    const wanted = { ...options, wide: Math.max(340, options.wide ?? 800) }, of = (kind) => measurements.filter((m) => m.kind === kind);
    const plots = [...TIMING_KINDS.map((kind) => drawSchedules(kind, of(kind), wanted)), drawIsns(of("isn"), wanted), drawLatency(of("handshake"), wanted)];
    return plots.filter(Boolean).map((plot) => ({ ...plot, title: visibleText(plot.title) }));
}
