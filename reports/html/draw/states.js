// RFC 9293's figure 5, completed: what a run has seen of it, what it has not, and what happened though it must not.
//
// The table of edges is the RFC (§3.3.2, §3.10): figure 5, and what the text adds to it: SYN-RECEIVED closed, reset or passed by a FIN,
// TIME-WAIT left for a new connection, and from every state the ways that end a connection at once (a reset, ABORT, a timeout).
// These last would be a web of arrows to CLOSED; they are cells in the box of the state that they leave.
import { html, svg } from "../dom.js";
import { parseSegment } from "./segment.js";
import { countText, textWide, visibleText } from "./scale.js";

const STATE_WIDE = 150, STATE_HIGH = 62, STATES_LEFT = -60, STATES_WIDE = 1000, STATES_HIGH = 972;
const STATE_ENDS = ["RST arrives", "ABORT call", "timeout"];

// Left upper corner of each box, and the ways out of it that are cells.
const STATE_BOXES = {
    CLOSED: { x: 405, y: 20, ends: [] },
    LISTEN: { x: 405, y: 150, ends: ["CLOSE call"] },
    "SYN-RECEIVED": { x: 125, y: 290, ends: STATE_ENDS },
    "SYN-SENT": { x: 685, y: 290, ends: ["CLOSE call", ...STATE_ENDS] },
    ESTABLISHED: { x: 405, y: 430, ends: STATE_ENDS },
    "FIN-WAIT-1": { x: 125, y: 570, ends: STATE_ENDS },
    "CLOSE-WAIT": { x: 685, y: 570, ends: STATE_ENDS },
    "FIN-WAIT-2": { x: 75, y: 710, ends: STATE_ENDS },
    CLOSING: { x: 405, y: 710, ends: STATE_ENDS },
    "LAST-ACK": { x: 685, y: 710, ends: STATE_ENDS },
    "TIME-WAIT": { x: 405, y: 850, ends: ["RST arrives", "ABORT call"] },
};
const STATE_AGAIN = { x: 685, y: 850 }; // CLOSED, once more, at the end

// from, to, what the figure says, its corners, and where its words stand: x, y, anchor. An edge counts whatever event led that way but those
// that are cells.
const STATE_EDGES = [
    ["CLOSED", "LISTEN", "passive OPEN", [[480, 82], [480, 150]], [472, 120, "end"]],
    ["CLOSED", "SYN-SENT", "active OPEN / SYN", [[555, 50], [800, 50], [800, 290]], [678, 43, "middle"]],
    ["LISTEN", "SYN-SENT", "SEND / SYN", [[555, 180], [740, 180], [740, 290]], [650, 173, "middle"]],
    ["LISTEN", "SYN-RECEIVED", "SYN / SYN,ACK", [[405, 195], [220, 195], [220, 290]], [312, 212, "middle"]],
    ["SYN-RECEIVED", "LISTEN", "RST, passive", [[160, 290], [160, 167], [405, 167]], [282, 160, "middle"]],
    ["SYN-SENT", "SYN-RECEIVED", "SYN / SYN,ACK, both at once", [[685, 320], [275, 320]], [480, 313, "middle"]],
    ["SYN-SENT", "ESTABLISHED", "SYN,ACK / ACK", [[780, 352], [780, 450], [555, 450]], [672, 443, "middle"]],
    ["SYN-RECEIVED", "ESTABLISHED", "ACK of SYN", [[220, 352], [220, 450], [405, 450]], [312, 443, "middle"]],
    ["SYN-RECEIVED", "FIN-WAIT-1", "CLOSE / FIN", [[160, 352], [160, 570]], [152, 505, "end"]],
    ["SYN-RECEIVED", "CLOSE-WAIT", "ACK of SYN, FIN / ACK", [[255, 352], [255, 386], [720, 386], [720, 570]], [480, 379, "middle"]],
    ["ESTABLISHED", "FIN-WAIT-1", "CLOSE / FIN", [[405, 475], [220, 475], [220, 570]], [312, 492, "middle"]],
    ["ESTABLISHED", "CLOSE-WAIT", "FIN / ACK", [[555, 475], [780, 475], [780, 570]], [638, 492, "middle"]],
    ["FIN-WAIT-1", "FIN-WAIT-2", "ACK of FIN", [[150, 632], [150, 710]], [142, 676, "end"]],
    ["FIN-WAIT-1", "CLOSING", "FIN / ACK", [[275, 600], [480, 600], [480, 710]], [378, 593, "middle"]],
    ["FIN-WAIT-1", "TIME-WAIT", "FIN, ACK of FIN / ACK", [[250, 632], [250, 870], [405, 870]], [258, 676, "start"]],
    ["FIN-WAIT-2", "TIME-WAIT", "FIN / ACK", [[150, 772], [150, 896], [405, 896]], [278, 912, "middle"]],
    ["CLOSING", "TIME-WAIT", "ACK of FIN", [[480, 772], [480, 850]], [488, 815, "start"]],
    ["CLOSE-WAIT", "LAST-ACK", "CLOSE / FIN", [[760, 632], [760, 710]], [768, 676, "start"]],
    ["LAST-ACK", "CLOSED", "ACK of FIN", [[760, 772], [760, 850]], [768, 815, "start"]],
    ["TIME-WAIT", "CLOSED", "2 MSL", [[555, 880], [685, 880]], [620, 872, "middle"]],
    ["TIME-WAIT", "SYN-RECEIVED", "new SYN / SYN,ACK (may)", [[480, 912], [480, 944], [-40, 944], [-40, 320], [125, 320]], [250, 937, "middle"]],
].map(([from, to, says, path, label]) => ({ from, to, says, path, label }));

// A connection that ends leaves no record: whether a listener is left behind it is no matter of this connection. Only SYN-RECEIVED goes *back*
// to LISTEN.
function endOf(from, to) {
    return to === "LISTEN" && from !== "SYN-RECEIVED" && from !== "CLOSED" ? "CLOSED" : to;
}

// ---- what a test has seen -----------------------------------------------------------------------------------------------

function eventOfSegment(segment) {
    const has = (letter) => segment.flags.includes(letter);
    if (has("R")) return "RST arrives";
    if (has("S")) return has(".") ? "SYN,ACK arrives" : "SYN arrives";
    if (!has(".")) return "segment without ACK arrives";
    return has("F") ? "FIN arrives" : segment.len > 0 ? "data arrives" : "ACK arrives";
}

function eventOf(event) {
    if (event?.kind === "sent") {
        const segment = parseSegment(event.segment);
        return segment.kind === "tcp" ? eventOfSegment(segment) : "ICMP error arrives";
    }
    const call = event?.kind === "call" ? /^(connect|listen|close|shutdown)\b/u.exec(event.text ?? "")?.[1] : null;
    return call === "close" || call === "shutdown" ? "CLOSE call" : call ? "OPEN call" : "timeout";
}

function isState(name) {
    return Object.hasOwn(STATE_BOXES, name);
}

// What a finding says of a state that the IUT was in though nothing permitted leads there; null when it says none.
function forbiddenOf(finding, trace) {
    const told = /it tells ([A-Z0-9-]{5,14})$/u.exec(finding.message ?? "") ?? (finding.rule === "state" ? /\b([A-Z0-9-]{5,14})\b/u.exec(finding.observed ?? "") : null);
    if (!told || !isState(told[1])) return null;
    const cause = trace.findIndex((event) => event.index && event.index === finding.segment);
    const end = cause >= 0 ? cause : trace.findLastIndex((event) => event.at_ns <= finding.at_ns && event.kind !== "state" && event.kind !== "note") + 1;
    const before = trace.slice(0, end).findLast((event) => event.kind === "state" && !event.text.includes(" with @"));
    const from = (before?.text ?? "").replace(/^IUT: /u, "");
    return isState(from) ? { from, to: endOf(from, told[1]), event: eventOf(trace[cause >= 0 ? cause : end - 1]), forbidden: true } : null;
}

function seenIn(test) {
    const seen = [];
    for (const text of test.transitions ?? []) {
        const found = /^([^:]{1,40}): ([A-Z0-9-]{5,14}) -> ([A-Z0-9-]{5,14})$/u.exec(text);
        if (!found || !isState(found[2]) || !isState(found[3])) continue;
        if (found[2] === "LISTEN") seen.push({ from: "CLOSED", to: "LISTEN", event: "OPEN call", forbidden: false });
        seen.push({ from: found[2], to: endOf(found[2], found[3]), event: found[1], forbidden: false });
    }
    return seen;
}

// The changes of state of a test, each once: { from, to, event, forbidden }.
export function transitionsOf(test, trace) {
    const all = new Map();
    for (const found of [...seenIn(test), ...(test.findings ?? []).map((finding) => forbiddenOf(finding, trace ?? [])).filter(Boolean)])
        all.set(`${found.from}>${found.to} ${found.event} ${found.forbidden}`, found);
    return [...all.values()];
}

// ---- what the run has seen --------------------------------------------------------------------------------------------------

function sumCoverage(coverage) {
    const counts = new Map(); // "FROM>TO" → Map(event → count)
    const add = (from, to, event, count) => {
        const key = `${from}>${to}`, events = counts.get(key) ?? new Map();
        events.set(event, (events.get(event) ?? 0) + count);
        counts.set(key, events);
    };
    for (const { from, event, to, count } of coverage?.transitions ?? []) {
        if (!isState(from) || !isState(to) || from === to) continue;
        add(from, endOf(from, to), event, count);
        if (from === "LISTEN" && to === "SYN-RECEIVED") add("CLOSED", "LISTEN", "OPEN call", count);
    }
    return counts;
}

// A list, a number, or just that there is something.
function howMany(value) {
    return Array.isArray(value) ? value.length : Number(value ?? 0);
}

// Every way of the figure with what was seen of it: { from, to, says, count, tests }, the cells of boxes among them (with their event).
export function stateWays({ coverage, transitions }) {
    const counts = sumCoverage(coverage);
    const known = (from, to, counted) => ({
        count: [...(counts.get(`${from}>${to}`) ?? [])].reduce((sum, [event, count]) => sum + (counted(event) ? count : 0), 0),
        tests: howMany(transitions?.get(`${from}>${to}`)?.tests),
    });
    const edges = STATE_EDGES.map((edge) => ({ ...edge, ...known(edge.from, edge.to, (event) => edge.to !== "CLOSED" || !STATE_BOXES[edge.from].ends.includes(event)) }));
    const cells = Object.entries(STATE_BOXES).flatMap(([from, box]) =>
        box.ends.map((cell) => ({ from, to: "CLOSED", cell, says: cell.replace(/ (arrives|call)$/u, ""), ...known(from, "CLOSED", (event) => event === cell) })));
    return [...edges, ...cells];
}

function forbiddenWays(transitions) {
    return [...(transitions ?? new Map())].filter(([, entry]) => howMany(entry.forbidden) > 0).map(([key, entry]) => {
        const [from, to] = key.split(">");
        return { from, to, count: howMany(entry.forbidden) };
    }).filter(({ from, to }) => isState(from) && isState(to));
}

// ---- the figure -----------------------------------------------------------------------------------------------------------------

function pathText(points) {
    return points.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`).join("");
}

function headAt(points, name) {
    const [[ax, ay], [bx, by]] = points.slice(-2), turn = (Math.atan2(by - ay, bx - ax) * 180) / Math.PI;
    return svg("path", { class: `d-state-head ${name}`, d: "M0 0l-10 -5v10z", transform: `translate(${bx} ${by}) rotate(${turn.toFixed(1)})` });
}

// A part of the figure that leads to the tests behind it, where there are any.
function stateLink(from, to, tests, spoken, link, name, ...children) {
    const href = tests > 0 && link ? link("tests", { transition: `${from}>${to}`, forbidden: name === "d-forbidden" }) : null;
    if (!href) return svg("g", { class: name, role: "img", "aria-label": spoken }, svg("title", null, spoken), children);
    return svg("a", { class: name, href }, svg("title", null, spoken), children);
}

function spokenWay(way) {
    const times = way.count ? `seen ${countText(way.count)} times${way.tests ? `, in ${countText(way.tests)} tests` : ""}` : "not seen";
    return `${way.from} to ${way.to}: ${way.says}, ${times}`;
}

function drawEdge(way, link) {
    const status = way.count ? "d-seen" : "d-missed";
    const [x, y, anchor] = way.label, text = `${way.says} · ${way.count ? `${countText(way.count)}×` : "not seen"}`, wide = textWide(text);
    const left = anchor === "middle" ? x - wide / 2 : anchor === "end" ? x - wide : x;
    return stateLink(way.from, way.to, way.tests, spokenWay(way), link, `d-edge ${status}`, svg("path", { class: "d-edge-line", d: pathText(way.path) }), headAt(way.path, status),
        svg("path", { class: "d-edge-reach", d: pathText(way.path) }), svg("rect", { class: "d-edge-area", x: left - 3, y: y - 13, width: wide + 6, height: 17 }), svg("text", { x, y, "text-anchor": anchor }, text));
}

function drawBox(name, box, ways, link, forbidden) {
    const cells = ways.filter((way) => way.cell && way.from === name), wide = STATE_WIDE / Math.max(1, cells.length);
    const parts = cells.map((way, i) => {
        const x = box.x + i * wide, label = { "RST arrives": "RST", "ABORT call": "ABRT", "CLOSE call": "CLOSE", timeout: "time" }[way.cell];
        return stateLink(name, "CLOSED", way.tests, spokenWay(way), link, `d-end ${way.count ? "d-seen" : "d-missed"}`,
            svg("rect", { x, y: box.y + 27, width: wide, height: STATE_HIGH - 27 }), svg("text", { x: x + wide / 2, y: box.y + 41, "text-anchor": "middle" }, label),
            svg("text", { x: x + wide / 2, y: box.y + 56, "text-anchor": "middle" }, way.count ? shortCount(way.count) : "–"));
    });
    const from = forbidden.filter((way) => way.from === name).reduce((sum, way) => sum + way.count, 0);
    return svg("g", { class: "d-state-box" }, svg("rect", { x: box.x, y: box.y, width: STATE_WIDE, height: STATE_HIGH, rx: 6 }),
        svg("text", { class: "d-state-name", x: box.x + STATE_WIDE / 2, y: box.y + (cells.length ? 19 : 36), "text-anchor": "middle" }, name), parts,
        from ? [svg("path", { class: "d-state-mark", d: `M${box.x + STATE_WIDE} ${box.y - 15}l15 15l-15 15l-15 -15z` }),
            svg("text", { class: "d-mark-text", x: box.x + STATE_WIDE, y: box.y + 4, "text-anchor": "middle" }, shortCount(from))] : null);
}

// In four columns at most.
function shortCount(count) {
    return count < 10000 ? String(count) : count < 1e6 ? `${Math.round(count / 1e3)}k` : `${Math.round(count / 1e6)}M`;
}

// From border to border of two boxes, straight: what is forbidden has no place of its own in the figure.
function chord(a, b) {
    const from = [a.x + STATE_WIDE / 2 + 24, a.y + STATE_HIGH / 2], to = [b.x + STATE_WIDE / 2 + 24, b.y + STATE_HIGH / 2];
    const dx = to[0] - from[0], dy = to[1] - from[1];
    const reach = Math.min(dx ? (STATE_WIDE / 2 - 20) / Math.abs(dx) : 1, dy ? (STATE_HIGH / 2 + 2) / Math.abs(dy) : 1, 0.45);
    return [[from[0] + dx * reach, from[1] + dy * reach], [to[0] - dx * reach, to[1] - dy * reach]];
}

function drawForbiddenLine(way) {
    const points = chord(STATE_BOXES[way.from], STATE_BOXES[way.to]);
    return svg("g", { class: "d-forbidden" }, svg("path", { class: "d-edge-line", d: pathText(points) }), headAt(points, "d-bad"));
}

const FORBIDDEN_COLUMNS = 3, FORBIDDEN_HIGH = 24;

// Below the figure, a line for each: the lines in the figure cross each other.
function drawForbiddenList(forbidden, link) {
    const top = STATES_HIGH + 12, wide = (STATES_WIDE - 20) / FORBIDDEN_COLUMNS;
    const rows = forbidden.map((way, i) => {
        const x = STATES_LEFT + 10 + (i % FORBIDDEN_COLUMNS) * wide, y = top + 18 + Math.floor(i / FORBIDDEN_COLUMNS) * FORBIDDEN_HIGH;
        const text = way.from === way.to ? `✗ ${way.from} not left · ${shortCount(way.count)}×` : `✗ ${way.from} → ${way.to} · ${shortCount(way.count)}×`;
        const spoken = `${way.from} to ${way.to}: forbidden, and happened ${countText(way.count)} times`;
        return stateLink(way.from, way.to, 1, spoken, link, "d-forbidden", svg("rect", { class: "d-edge-area", x, y, width: wide - 8, height: FORBIDDEN_HIGH - 4, rx: 3 }), svg("text", { x: x + 8, y: y + 14 }, text));
    });
    return rows.length ? [svg("text", { class: "d-state-name", x: STATES_LEFT + 10, y: top + 6 }, "Forbidden, and happened"), rows] : [];
}

function drawLegend() {
    const x = STATES_LEFT + 10, line = (y) => svg("path", { class: "d-edge-line", d: `M${x} ${y - 4}h36` });
    const rows = [["d-edge d-seen", "seen, and how often"], ["d-edge d-missed", "permitted, but not seen"], ["d-forbidden", "forbidden, and happened (see below)"]];
    return svg("g", { class: "d-legend" }, rows.map(([name, words], i) => svg("g", { class: name }, line(32 + i * 20), svg("text", { x: x + 44, y: 32 + i * 20 }, words))),
        svg("g", { class: "d-end d-seen" }, svg("rect", { x: x + 2, y: 81, width: 34, height: 16 }), svg("text", { x: x + 44, y: 93 }, "the connection ends at once: a reset,")),
        svg("text", { x: x + 44, y: 109 }, "ABORT (ABRT), a timeout (time)"));
}

// data: { coverage, transitions: Map("FROM>TO" → { count, tests, forbidden, events }) }.
export function drawStates(data, { link } = {}) {
    const ways = stateWays(data), forbidden = forbiddenWays(data.transitions);
    const seen = ways.filter((way) => way.count).length;
    const spoken = `The states of RFC 9293, figure 5 completed: ${seen} of ${ways.length} ways seen, ${forbidden.length} that are forbidden.`;
    const high = STATES_HIGH + (forbidden.length ? 44 + Math.ceil(forbidden.length / FORBIDDEN_COLUMNS) * FORBIDDEN_HIGH : 0);
    return svg("svg", { class: "d-states", role: "group", "aria-label": spoken, width: STATES_WIDE, height: high, viewBox: `${STATES_LEFT} 0 ${STATES_WIDE} ${high}` },
        drawLegend(), forbidden.filter((way) => way.from !== way.to).map(drawForbiddenLine),
        ways.filter((way) => !way.cell).map((way) => drawEdge(way, link)),
        Object.entries(STATE_BOXES).map(([name, box]) => drawBox(name, box, ways, link, forbidden)),
        svg("g", { class: "d-state-box" }, svg("rect", { x: STATE_AGAIN.x, y: STATE_AGAIN.y, width: STATE_WIDE, height: STATE_HIGH, rx: 6 }),
            svg("text", { class: "d-state-name", x: STATE_AGAIN.x + STATE_WIDE / 2, y: STATE_AGAIN.y + 36, "text-anchor": "middle" }, "CLOSED")),
        drawForbiddenList(forbidden, link));
}

// The same as a table.
export function statesTable(data, { link } = {}) {
    const name = (way) => {
        const text = `${way.from} → ${way.to}`;
        return way.tests && link ? html("a", { href: link("tests", { transition: `${way.from}>${way.to}` }) }, text) : text;
    };
    const rows = [...stateWays(data).map((way) => ({ ...way, status: way.count ? "seen" : "not seen" })),
        ...forbiddenWays(data.transitions).map((way) => ({ ...way, tests: 1, says: "nothing permitted leads there", status: "✗ forbidden, happened" }))];
    return html("table", { class: "d-table" }, html("thead", null, html("tr", null, ["transition", "what happens", "status", "times"].map((head) => html("th", { scope: "col" }, head)))),
        html("tbody", null, rows.map((way) => html("tr", { class: way.status.startsWith("✗") ? "d-bad" : null }, html("td", null, name(way)), html("td", null, visibleText(way.says)),
            html("td", null, way.status), html("td", { class: "num" }, countText(way.count))))));
}
