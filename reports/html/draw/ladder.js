// The ladder of a test: two lifelines, every segment, call and state between them, and what was found wrong where it happened.
//
// In three steps, each a function of the one before: rows (what happened, in order, with what belongs together in one row; long traces
// folded), layout (where each text stands: plain numbers, tested to overlap nowhere), elements.
import { html, svg } from "../dom.js";
import { flagNames, initialNumbers, parseSegment, parseWire, segmentNumbers, segmentText } from "./segment.js";
import { CHAR_WIDE, LINE_HIGH, momentText, roundTicks, secondsText, textWide, visibleText, wrapText, countText } from "./scale.js";

const LADDER_FOLD = 160; // rows; longer traces are folded
const LADDER_NEAR = 12;  // rows shown around what was found
const LADDER_TEXT_MAX = 1200;

// ---- rows -------------------------------------------------------------------------------------------------------------

// The tester's own state, as a TCP would have it that sends what it sends; only segments in order count, others are probes.
function nextTesterState(side, sent, segment) {
    const has = (letter) => segment.flags.includes(letter);
    const state = side.state;
    if (sent && !has("S") && segment.seq !== side.nxt && side.nxt !== null) return state;
    if (sent && !has("R")) side.nxt = segment.end + (has("S") && segment.seq === 0 ? 1 : 0) + (has("F") ? 1 : 0);
    if (has("R")) return state === "" ? "" : "CLOSED";
    if (sent) {
        if (has("S")) return has(".") ? "SYN-RECEIVED" : "SYN-SENT";
        if (has("F")) {
            side.fin = side.nxt;
            return { ESTABLISHED: "FIN-WAIT-1", "SYN-RECEIVED": "FIN-WAIT-1", "CLOSE-WAIT": "LAST-ACK" }[state] ?? state;
        }
        return state;
    }
    if (has("S")) return state === "SYN-SENT" ? (has(".") ? "ESTABLISHED" : "SYN-RECEIVED") : state === "SYN-RECEIVED" && has(".") ? "ESTABLISHED" : state;
    let next = state;
    if (has(".") && state === "SYN-RECEIVED" && segment.ack === 1) next = "ESTABLISHED";
    if (has(".") && side.fin !== null && segment.ack === side.fin) next = { "FIN-WAIT-1": "FIN-WAIT-2", CLOSING: "TIME-WAIT", "LAST-ACK": "CLOSED" }[next] ?? next;
    if (has("F")) next = { ESTABLISHED: "CLOSE-WAIT", "FIN-WAIT-1": "CLOSING", "FIN-WAIT-2": "TIME-WAIT" }[next] ?? next;
    return next;
}

// One side for each of the tester's initial numbers: a test may have several connections.
function makeTesterStates() {
    const sides = new Map();
    const byPeer = new Map();
    return (sent, segment, wire) => {
        if (segment.kind !== "tcp") return null;
        const numbers = initialNumbers(segment, wire);
        const own = sent ? numbers.own : numbers.other, peer = sent ? numbers.other : numbers.own;
        const key = own ?? byPeer.get(peer);
        if (key === undefined || key === null) return null;
        if (peer !== null && peer !== undefined) byPeer.set(peer, key);
        if (!sides.has(key)) sides.set(key, { state: "", nxt: null, fin: null });
        const side = sides.get(key), before = side.state;
        side.state = nextTesterState(side, sent, segment);
        return side.state !== before ? side.state : null;
    };
}

// A call as the scenario writes it holds the result expected, too.
function bareCall(text) {
    return text.replace(/ = [^=]*$/su, "");
}

function clean(text) {
    return visibleText(String(text ?? "").slice(0, LADDER_TEXT_MAX));
}

function segmentRow(event, testerState) {
    const wire = parseWire(event.text), segment = parseSegment(event.segment);
    const sent = event.kind === "sent" || (event.kind === "dropped" && segment.from !== "IUT");
    return {
        kind: "segment", at_ns: event.at_ns, index: event.index, step: event.step, sent, lost: event.kind === "dropped", segment, wire,
        remark: wire ? "" : event.text ?? "", tester: event.kind === "dropped" ? null : testerState(sent, segment, wire), iut: [], findings: [],
    };
}

// What was found, at the segment it is about, or at its time.
function placeFindings(rows, findings) {
    findings.forEach((finding, place) => {
        const about = finding.segment ? rows.find((row) => row.kind === "segment" && row.index === finding.segment) : null;
        const told = { ...finding, first: place === 0 };
        if (about) {
            about.findings.push(told);
            return;
        }
        let at = rows.findIndex((row) => row.at_ns > finding.at_ns);
        if (at < 0) at = rows.length;
        rows.splice(at, 0, { kind: "finding", at_ns: finding.at_ns, step: 0, index: 0, iut: [], findings: [told] });
    });
}

function isEcho(note, findings) {
    return note.startsWith("the model, segment ") && findings.some((finding) => finding.rule && note.includes(`(rule ${finding.rule}, `));
}

function listRows(test, trace) {
    const rows = [], testerState = makeTesterStates(), findings = test.findings ?? [];
    for (const event of trace) {
        const last = rows[rows.length - 1], text = event.text ?? "";
        if (event.kind === "sent" || event.kind === "received" || event.kind === "dropped") {
            rows.push(segmentRow(event, testerState));
        } else if (event.kind === "state") {
            const state = text.replace(/^IUT: /u, "");
            if (last && last.at_ns === event.at_ns && (last.kind === "segment" || last.kind === "call")) last.iut.push(state);
            else rows.push({ kind: "state", at_ns: event.at_ns, step: event.step, index: 0, iut: [state], findings: [] });
        } else if (event.kind === "call") {
            rows.push({ kind: "call", at_ns: event.at_ns, step: event.step, index: 0, call: bareCall(text), result: null, iut: [], findings: [] });
        } else if (event.kind === "return") {
            if (last?.kind === "call" && last.step === event.step && last.result === null) last.result = text;
            else rows.push({ kind: "return", at_ns: event.at_ns, step: event.step, index: 0, result: text, iut: [], findings: [] });
        } else if (!isEcho(text, findings)) {
            rows.push({ kind: "note", at_ns: event.at_ns, step: event.step, index: 0, text: text || event.segment || "", iut: [], findings: [] });
        }
    }
    placeFindings(rows, findings);
    return rows;
}

function foldRows(rows, most) {
    if (rows.length <= most) return rows;
    const shown = new Array(rows.length).fill(false);
    const half = Math.floor(most / 2);
    rows.forEach((row, i) => {
        if (i < half || i >= rows.length - half) shown[i] = true;
        if (row.findings.length) shown.fill(true, Math.max(0, i - LADDER_NEAR), i + LADDER_NEAR);
    });
    const kept = [];
    for (let i = 0; i < rows.length; ) {
        if (shown[i]) {
            kept.push(rows[i++]);
            continue;
        }
        const first = i;
        while (i < rows.length && !shown[i]) i++;
        const segments = rows.slice(first, i).filter((row) => row.kind === "segment").length;
        kept.push({ kind: "fold", at_ns: rows[first].at_ns, until_ns: rows[i - 1].at_ns, count: i - first, segments, index: 0, step: 0, iut: [], findings: [] });
    }
    return kept;
}

// What a ladder shows, top to bottom. fold: so many rows at most, but for what was found.
export function ladderRows(test, trace, fold = LADDER_FOLD) {
    return foldRows(listRows(test, trace ?? []), fold);
}

// ---- words --------------------------------------------------------------------------------------------------------------

function isShould(level) {
    return String(level ?? "").startsWith("SHOULD");
}

function findingLines(finding, row, options) {
    const lines = [];
    const add = (name, text) => {
        if (text) lines.push([name, clean(text)]);
    };
    const about = [finding.level === "RULE" ? "" : finding.level, finding.requirement].filter(Boolean).join(", ");
    const bad = isShould(finding.level) ? "not as it should be" : "not permitted";
    add("title", `✗ ${row.kind === "segment" && row.sent ? `what the IUT made of this is ${bad}` : bad}${about ? ` (${about})` : ""}`);
    add("what", finding.message);
    add("permitted", finding.expected && `permitted: ${finding.expected}`);
    add("observed", finding.observed && finding.observed !== "nothing" ? `observed: ${finding.observed}` : finding.observed && "observed: silence");
    const quote = finding.quote ?? (finding.first ? options.requirement : "");
    add("quote", quote && `${finding.requirement || "RFC"}: “${quote}”`);
    return lines;
}

function mainText(row, options) {
    switch (row.kind) {
    case "segment":
        return clean((row.index ? `#${row.index} ` : "") + segmentText(row.segment, row.wire, options.numbers));
    case "call":
        return clean(row.call + (row.result === null ? "" : ` → ${row.result}`));
    case "return":
        return clean(`→ ${row.result}`);
    case "note":
        return clean(row.text);
    case "fold":
        return `⋮ ${countText(row.count)} more (${countText(row.segments)} segments), until ${momentText(row.until_ns)} s ⋮`;
    default:
        return "";
    }
}

// All of a row in one sentence: for those who cannot see it, and beside the pointer.
export function rowSentence(row, options = {}) {
    const parts = [`${momentText(row.at_ns)} s`];
    if (row.kind === "segment") {
        parts.push(`${row.sent ? "tester to IUT" : "IUT to tester"}${row.lost ? ", lost on the way" : ""}: ${mainText(row, options)}`);
        if (row.segment.options) parts.push(`options ${clean(row.segment.options)}`);
        if (row.segment.extra) parts.push(`with ${clean(row.segment.extra)}`);
        if (row.remark) parts.push(clean(row.remark));
    } else if (row.kind !== "finding" && row.kind !== "state") {
        parts.push(`${{ call: "the application calls", return: "a call returns", note: "note", fold: "left out" }[row.kind]}: ${mainText(row, options)}`);
    }
    if (row.tester) parts.push(`the tester is in ${row.tester}`);
    for (const state of row.iut) parts.push(`the IUT is in ${clean(state)}`);
    for (const finding of row.findings) parts.push(findingLines(finding, row, options).map(([, text]) => text).join(" "));
    return parts.join("; ");
}

// The lines shown when a row is pointed at.
function detailLines(row) {
    if (row.kind !== "segment") return [];
    const s = row.segment, lines = [`segment ${row.index} ${row.sent ? "of the tester" : "of the IUT"}, at ${momentText(row.at_ns)} s${row.lost ? ", lost" : ""}`];
    if (s.kind === "tcp") {
        const relative = segmentNumbers(s, row.wire, "relative"), wire = segmentNumbers(s, row.wire, "absolute");
        lines.push(`${flagNames(s.flags)}, ${s.len} octets`);
        lines.push(`seq ${relative.seq}…${relative.end}` + (row.wire ? `, on the wire ${wire.seq}…${wire.end}` : ""));
        if (s.ack !== null) lines.push(`ack ${relative.ack}` + (row.wire ? `, on the wire ${wire.ack}` : ""));
        lines.push(`window ${s.win ?? "?"}${s.urg === null ? "" : `, urgent pointer ${s.urg}`}`);
        lines.push(s.options ? `options ${clean(s.options)}` : "no options");
        if (s.extra) lines.push(`with ${clean(s.extra)}`);
    } else {
        lines.push(clean(s.text));
    }
    if (row.remark) lines.push(clean(row.remark));
    if (row.step) lines.push(`line ${row.step} of the scenario`);
    return lines;
}

// ---- layout ---------------------------------------------------------------------------------------------------------------

const LADDER_TOP = 40, LADDER_GAP = 8, LADDER_ARROW = 10;

function columnsOf(wide) {
    if (wide < 640) return { narrow: true, wide, time: 0, tester: 8, iut: wide - 8, left: 14, right: wide - 14, side: 0, sideWide: 0 };
    const sideWide = Math.round(Math.min(320, Math.max(190, wide * 0.28)));
    return { narrow: false, wide, time: 108, tester: 212, iut: wide - sideWide - 12, left: 220, right: wide - sideWide - 20, side: wide - sideWide, sideWide };
}

function columnsIn(pixels) {
    return Math.max(8, Math.floor(pixels / CHAR_WIDE));
}

// Adds the lines of a text to a row; returns the place below.
function addText(row, name, text, x, y, room, most) {
    const lines = wrapText(text, columnsIn(room), most);
    lines.forEach((line, i) => row.texts.push({ name, text: line, x, y: y + (i + 1) * LINE_HIGH - 4, wide: textWide(line) }));
    return y + lines.length * LINE_HIGH;
}

function addFindings(row, place, c, y, options) {
    for (const finding of row.findings) {
        const box = { x: c.left + 4, y: y + 4, wide: c.right - c.left - 8, should: isShould(finding.level) };
        let at = box.y + 4;
        for (const [name, text] of findingLines(finding, row, options)) at = addText(place, `finding-${name}`, text, box.x + 8, at, box.wide - 16, 8);
        box.high = at - box.y + 6;
        place.boxes.push(box);
        y = box.y + box.high;
    }
    return y;
}

function sideTexts(row, place, c, y) {
    const states = row.iut.map(clean);
    if (c.narrow) {
        if (row.tester) y = addText(place, "tester-state", `◂ tester: ${row.tester}`, c.left, y, c.right - c.left, 1);
        for (const state of states) y = addText(place, "state", `IUT: ${state} ▸`, c.left, y, c.right - c.left, 2);
        return y;
    }
    if (row.tester) addText(place, "tester-state", row.tester, c.time + 6, y, c.tester - c.time - 10, 1);
    let at = y;
    for (const state of states) at = addText(place, "state", `● ${state}`, c.side, at, c.sideWide, 3);
    return Math.max(y, at);
}

function layoutSegment(row, place, c, y, options) {
    let at = addText(place, row.findings.length ? "segment bad" : "segment", mainText(row, options), c.left, y, c.right - c.left, 4);
    const small = [row.segment.options && `<${clean(row.segment.options)}>`, row.segment.extra && `with ${clean(row.segment.extra)}`, clean(row.remark)].filter(Boolean).join(" ");
    if (small) at = addText(place, "options", small, c.left, at, c.right - c.left, 4);
    place.arrow = { y: at + LADDER_ARROW - 4, from: row.sent ? c.tester : c.iut, to: row.sent ? c.iut : c.tester, lost: row.lost, bad: row.findings.length > 0,
        should: row.findings.length > 0 && row.findings.every((finding) => isShould(finding.level)) };
    at += LADDER_ARROW;
    if (row.lost) at = addText(place, "lost", "✕ lost on the way", c.left, at, c.right - c.left, 1);
    at = addFindings(row, place, c, at, options);
    return c.narrow ? sideTexts(row, place, c, at + 2) : Math.max(at, sideTexts(row, place, c, y));
}

function layoutOther(row, place, c, y, options) {
    const across = row.kind === "note" || row.kind === "fold" || c.narrow;
    const x = across ? c.left : c.side, room = across ? c.right - c.left : c.sideWide, text = mainText(row, options);
    let at = y;
    if (text) at = addText(place, row.kind, row.kind === "note" || row.kind === "fold" ? text : `${c.narrow ? "IUT " : "▸ "}${text}`, x, at, room, 4);
    if (row.kind === "finding") at = addFindings(row, place, c, at, options);
    return sideTexts(row, place, c, at);
}

function layoutRow(row, c, y, options) {
    const place = { row, y, texts: [], boxes: [], arrow: null };
    let at = y;
    if (c.narrow) at = addText(place, "time", `${momentText(row.at_ns)} s`, c.left, at, c.right - c.left, 1);
    else addText(place, "time", momentText(row.at_ns), c.time - textWide(momentText(row.at_ns)), at, 96, 1);
    at = row.kind === "segment" ? layoutSegment(row, place, c, at, options) : layoutOther(row, place, c, at, options);
    place.high = Math.max(at, y + LINE_HIGH) - y;
    return place;
}

// Where each row would begin were all time drawn to scale: as long as the rows alone are, and each row moved down until it has room.
function scaleOf(rows, evenHigh) {
    const first = Math.min(...rows.map((row) => row.at_ns)), last = Math.max(...rows.map((row) => row.at_ns));
    if (!(last > first)) return null;
    const perNs = Math.max(300, evenHigh) / (last - first);
    return { first, last, y: (ns) => LADDER_TOP + (ns - first) * perNs };
}

// { wide, high, columns, rows: [{ row, y, high, texts: [{ name, text, x, y (base line), wide }], boxes, arrow }], scale }
export function layoutLadder(rows, options = {}) {
    const c = columnsOf(Math.max(300, options.wide ?? 800));
    const evenHigh = () => rows.reduce((sum, row) => sum + layoutRow(row, c, 0, options).high + LADDER_GAP, 0);
    const scale = options.scale === "time" && rows.length > 1 ? scaleOf(rows, evenHigh()) : null;
    const places = [];
    let y = LADDER_TOP;
    rows.forEach((row) => {
        if (scale) y = Math.max(y, scale.y(row.at_ns));
        const place = layoutRow(row, c, y, options);
        places.push(place);
        y += place.high + LADDER_GAP;
    });
    return { wide: c.wide, high: y + 24, columns: c, rows: places, scale };
}

// ---- elements ---------------------------------------------------------------------------------------------------------------

function arrowHead(x, y, towardsRight, name) {
    const back = towardsRight ? -9 : 9;
    return svg("path", { class: `d-head ${name}`, d: `M${x} ${y}l${back} -4.5v9z` });
}

function drawArrow(arrow) {
    const right = arrow.to > arrow.from, name = arrow.bad ? (arrow.should ? "d-should" : "d-bad") : "";
    const from = arrow.from + (right ? 2 : -2), to = arrow.to + (right ? -2 : 2);
    if (!arrow.lost)
        return [svg("line", { class: `d-arrow ${name}`, x1: from, y1: arrow.y, x2: to, y2: arrow.y }), arrowHead(to, arrow.y, right, name)];
    const broken = from + (to - from) * 0.6;
    return [
        svg("line", { class: `d-arrow d-lost ${name}`, x1: from, y1: arrow.y, x2: broken, y2: arrow.y }),
        svg("path", { class: `d-cross ${name}`, d: `M${broken - 6} ${arrow.y - 6}l12 12m0 -12l-12 12` }),
    ];
}

// The mark of what was found: a shape of its own, so that it shows without colour.
function drawMark(place, c) {
    if (!place.arrow?.bad) return [];
    const x = place.arrow.from > place.arrow.to ? c.iut : c.tester, y = place.arrow.y;
    return [
        svg("path", { class: place.arrow.should ? "d-mark d-should" : "d-mark d-bad", d: `M${x} ${y - 9}l9 9l-9 9l-9 -9z` }),
        svg("path", { class: "d-mark-sign", d: `M${x} ${y - 5}v6m0 2v2` }),
    ];
}

function drawDetail(place, layout) {
    const lines = detailLines(place.row).flatMap((line) => wrapText(line, columnsIn(Math.min(layout.wide - 40, 460)), 6));
    if (!lines.length) return null;
    const wide = Math.max(...lines.map(textWide)) + 20, high = lines.length * LINE_HIGH + 14;
    const x = Math.max(4, Math.min(layout.wide - wide - 4, layout.columns.left + 20));
    const below = place.y + place.high + 4, y = below + high > layout.high ? Math.max(2, place.y - high - 4) : below;
    return svg("g", { class: "d-detail", "aria-hidden": "true" }, svg("rect", { x, y, width: wide, height: high, rx: 4 }),
        lines.map((line, i) => svg("text", { x: x + 10, y: y + 2 + (i + 1) * LINE_HIGH }, line)));
}

function drawRow(place, layout, options) {
    const c = layout.columns, row = place.row;
    const shapes = place.boxes.map((box) => svg("rect", { class: box.should ? "d-box d-should" : "d-box d-bad", x: box.x, y: box.y, width: box.wide, height: box.high, rx: 4 }));
    if (row.iut.length && !c.narrow) shapes.push(svg("circle", { class: "d-dot", cx: c.iut, cy: place.y + 8, r: 4 }));
    if (row.kind === "call" || row.kind === "return") shapes.push(svg("line", { class: "d-tick", x1: c.iut, y1: place.y + 8, x2: c.narrow ? c.iut - 8 : c.side - 2, y2: place.y + 8 }));
    return svg("g", { class: `d-row d-${row.kind}`, role: "img", tabindex: "-1", "aria-label": rowSentence(row, options) },
        svg("rect", { class: "d-area", x: 0, y: place.y - 2, width: layout.wide, height: place.high + 4 }), shapes,
        place.arrow ? drawArrow(place.arrow) : [], drawMark(place, c),
        place.texts.map((text) => svg("text", { class: text.name.split(" ").map((name) => `d-${name}`).join(" "), x: text.x, y: text.y }, text.text)));
}

function drawLifelines(layout) {
    const c = layout.columns, bottom = layout.high - 12;
    const head = (x, text, end) => svg("text", { class: "d-life-name", x, y: 18, "text-anchor": end }, text);
    return [
        svg("line", { class: "d-life", x1: c.tester, y1: 26, x2: c.tester, y2: bottom }),
        svg("line", { class: "d-life", x1: c.iut, y1: 26, x2: c.iut, y2: bottom }),
        head(c.tester, "tester", c.narrow ? "start" : "middle"), head(c.iut, "IUT", c.narrow ? "end" : "middle"),
        c.narrow ? null : svg("text", { class: "d-time", x: c.time, y: 18, "text-anchor": "end" }, "seconds"),
    ];
}

function drawScale(layout) {
    const { scale, columns } = layout;
    if (!scale) return [];
    const x = columns.narrow ? 2 : 10, span = (scale.last - scale.first) / 1e9;
    const ticks = roundTicks(span, 10).filter((tick) => tick <= span);
    return [
        svg("line", { class: "d-axis", x1: x, y1: scale.y(scale.first), x2: x, y2: scale.y(scale.last) }),
        ticks.map((tick) => svg("line", { class: "d-axis", x1: x - 2, y1: scale.y(scale.first + tick * 1e9), x2: x + 4, y2: scale.y(scale.first + tick * 1e9) })),
        layout.rows.map((place) => svg("line", { class: "d-leader", x1: x, y1: scale.y(place.row.at_ns), x2: columns.narrow ? x + 4 : x + 12, y2: place.y + 8 })),
    ];
}

// The rows are one stop of the tab key; arrows go from row to row, and the one pointed at or focused shows all of its segment.
function makeBrowsable(root, groups, layout) {
    let detail = null, current = 0;
    const show = (i) => {
        detail?.remove();
        detail = i === null ? null : drawDetail(layout.rows[i], layout);
        if (detail) root.append(detail);
    };
    const go = (i) => {
        groups[current].setAttribute("tabindex", "-1");
        current = Math.max(0, Math.min(groups.length - 1, i));
        groups[current].setAttribute("tabindex", "0");
        groups[current].focus();
    };
    groups[0]?.setAttribute("tabindex", "0");
    groups.forEach((group, i) => {
        group.addEventListener("pointerenter", () => show(i));
        group.addEventListener("pointerleave", () => show(null));
        group.addEventListener("focus", () => { current = i; show(i); });
        group.addEventListener("blur", () => show(null));
    });
    root.addEventListener("keydown", (event) => {
        const to = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: groups.length - 1 }[event.key];
        if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
        event.preventDefault();
        go(to);
    });
}

// options: scale ("even", "time"), numbers ("relative", "absolute"), wide (pixels), requirement (the sentence broken), fold (rows).
export function drawLadder(test, trace, options = {}) {
    const rows = ladderRows(test, trace, options.fold);
    const layout = layoutLadder(rows, options);
    const groups = layout.rows.map((place) => drawRow(place, layout, options));
    const spoken = `Ladder of ${clean(test.title || test.id)}: ${rows.length} rows${rows.length ? `, ${secondsText(rows[rows.length - 1].at_ns - rows[0].at_ns)}` : ""}. Arrow keys go from row to row.`;
    const root = svg("svg", { class: "d-ladder", role: "group", "aria-label": spoken, width: layout.wide, height: layout.high, viewBox: `0 0 ${layout.wide} ${layout.high}` },
        drawLifelines(layout), drawScale(layout), groups);
    if (groups.length) makeBrowsable(root, groups, layout);
    return root;
}

// The same as a table, for those who would rather read, and for screen readers.
export function ladderTable(test, trace, options = {}) {
    const cell = (text, name) => html("td", { class: name }, text === null ? "" : String(text));
    const line = (row) => {
        const s = row.segment, n = row.kind === "segment" ? segmentNumbers(s, row.wire, options.numbers) : null, tcp = s?.kind === "tcp";
        const said = [row.kind === "segment" ? (tcp ? "" : clean(s.text)) : mainText(row, options), row.remark && clean(row.remark), row.lost && "lost on the way",
            row.tester && `tester: ${row.tester}`, ...row.iut.map((state) => `IUT: ${clean(state)}`),
            ...row.findings.map((finding) => findingLines(finding, row, options).map(([, text]) => text).join(". "))];
        return html("tr", { class: row.findings.length ? "d-bad" : null }, cell(momentText(row.at_ns), "num"), cell(row.index || "", "num"),
            cell(row.kind === "segment" ? (row.sent ? "tester → IUT" : "tester ← IUT") : ""), cell(tcp ? flagNames(s.flags) : ""),
            cell(tcp ? `${n.seq}:${n.end}(${s.len})` : "", "num"), cell(tcp ? n.ack : "", "num"), cell(tcp ? s.win : "", "num"), cell(tcp ? clean(s.options) : ""), cell(said.filter(Boolean).join("; ")));
    };
    const heads = ["seconds", "#", "direction", "flags", "numbers", "ack", "window", "options", "what else"];
    return html("table", { class: "d-table" }, html("thead", null, html("tr", null, heads.map((head) => html("th", { scope: "col" }, head)))),
        html("tbody", null, ladderRows(test, trace, options.fold).map(line)));
}
