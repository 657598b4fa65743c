// Unit tests of the drawings: words of segments, layouts in which nothing overlaps, what is measured, and hostile text everywhere.
import assert from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { document, Node } from "./dom.mjs";
import { load, sources } from "./load.mjs";

const D = load({ document, Node });
const samples = JSON.parse(readFileSync(new URL("samples.json", import.meta.url), "utf8"));
const WIDTHS = [300, 358, 390, 639, 640, 800, 1280, 2000];
const HOSTILE = "</svg><script>alert(1)</script>\"'&\u0000\u001b[31m\u202e\u2066\ud800 \u00ad日本語 " + "x".repeat(3000);

// ---- segments ---------------------------------------------------------------------------------------------------------------

test("a segment's words are its fields", () => {
    const rows = [
        ["< S 0:0(0) win 65535 <mss 1460>", { from: "tester", flags: "S", seq: 0, end: 0, len: 0, ack: null, win: 65535, urg: null, options: "mss 1460" }],
        ["> S. 0:0(0) ack 1 win 64240 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>", { from: "IUT", flags: "S.", ack: 1, options: "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7" }],
        ["< P. 4294967295:0(1) ack 0 win 65535", { seq: 4294967295, end: 0, len: 1 }],
        ["> F. 11:11(0) ack 2", { win: null, flags: "F." }],
        ["< - 1:1(0) win 0 urg 3", { flags: "-", urg: 3 }],
        ["< P. 1:11(10) ack 1 win 65535 with checksum bad", { extra: "checksum bad", win: 65535 }],
        ["< S 0:0(0) win 65535 urg 1 <mss 1460> with reserved 2", { extra: "reserved 2", options: "mss 1460" }],
        ["S. 0:0(0) ack 1 win 1", { from: null, flags: "S.", kind: "tcp" }],
        ["< icmp unreachable net_unreachable [1:1(0)]", { kind: "icmp", from: "tester", seq: null }],
        ["< S 0:0(0) win 6553x", { kind: "other" }],
        ["", { kind: "other", from: null, text: "" }],
        [undefined, { kind: "other" }],
        [HOSTILE, { kind: "other" }],
    ];
    for (const [text, wanted] of rows) {
        const segment = D.parseSegment(text);
        for (const [name, value] of Object.entries(wanted)) assert.strictEqual(segment[name], value, `${name} of ${String(text).slice(0, 60)}`);
    }
});

test("numbers are relative, absolute, or before the first, as the wire says", () => {
    const rows = [
        ["< P. 4294967295:0(1) ack 1 win 1", "seq 3999999999 ack 101 on the wire", "relative", [-1, 0, 1]],
        ["< P. 4294967295:0(1) ack 1 win 1", "seq 3999999999 ack 101 on the wire", "absolute", [3999999999, 4000000000, 101]],
        ["> . 4294967295:4294967295(0) ack 5 win 1", "seq 4294967295 ack 5 on the wire", "relative", [4294967295, 4294967295, 5]],
        ["> P. 4294967290:6(12) ack 5 win 1", "seq 4294967290 ack 5 on the wire", "absolute", [4294967290, 6, 5]],
        ["> S 0:0(0) win 1", "seq 7 ack 0 on the wire", "absolute", [7, 7, null]],
        ["> S 0:0(0) win 1", "", "absolute", [0, 0, null]],
    ];
    for (const [text, wire, numbers, wanted] of rows) {
        const n = D.segmentNumbers(D.parseSegment(text), D.parseWire(wire), numbers);
        assert.deepEqual([n.seq, n.end, n.ack], wanted, `${text} ${wire} ${numbers}`);
    }
    assert.deepEqual({ ...D.initialNumbers(D.parseSegment("> S. 0:0(0) ack 1 win 1"), { seq: 5, ack: 0 }) }, { own: 5, other: 4294967295 });
});

test("text is broken where it may be, cut where it must be, and made visible", () => {
    for (const text of ["", "a", "one two three", "mss 1460,sackOK,TS val 2467360875 ecr 0,nop,wscale 7", "x".repeat(200), "日本語".repeat(30), "😀".repeat(50)])
        for (const columns of [4, 8, 21, 80]) {
            const lines = D.wrapText(text, columns, 40);
            for (const line of lines) assert.ok(D.textColumns(line) <= columns, `${columns}: ${line}`);
            if (!lines.at(-1)?.endsWith("…")) assert.strictEqual(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
        }
    assert.deepEqual(["", "abc", "é…→", "日本", "😀a"].map(D.textColumns), [0, 3, 3, 4, 3]);
    assert.ok(D.wrapText("x".repeat(5000), 10, 3).at(-1).endsWith("…"));
    assert.strictEqual(D.visibleText("a\u0000\u202eb\ud800"), "a\\u0000\\u202eb\ufffd");
});

// ---- layout -------------------------------------------------------------------------------------------------------------------

function boxesOf(layout) {
    return layout.rows.flatMap((place) => place.texts.map((text) => ({ left: text.x, right: text.x + text.wide, top: text.y - 11, bottom: text.y + 3, text: text.text })));
}

function assertApart(boxes, what) {
    boxes.sort((a, b) => a.top - b.top);
    for (let i = 0; i < boxes.length; i++)
        for (let k = i + 1; k < boxes.length && boxes[k].top < boxes[i].bottom; k++)
            assert.ok(boxes[k].left >= boxes[i].right || boxes[i].left >= boxes[k].right, `${what}: "${boxes[i].text}" lies on "${boxes[k].text}"`);
}

function hostileTest() {
    const trace = [];
    for (const kind of ["call", "return", "sent", "received", "dropped", "state", "note"])
        for (const segment of ["", HOSTILE, "< S 0:0(0) win 1 <" + "nop,".repeat(300) + "nop>"]) trace.push({ at_ns: trace.length * 1e9, kind, index: trace.length, step: 1, segment, text: HOSTILE });
    const finding = { rule: HOSTILE, requirement: HOSTILE, level: "MUST", message: HOSTILE, expected: HOSTILE, observed: HOSTILE, at_ns: 0, segment: 3 };
    return { id: HOSTILE, title: HOSTILE, verdict: "fail", reason: HOSTILE, findings: [finding, { ...finding, segment: 0, level: "SHOULD" }, { ...finding, at_ns: 1e18 }], trace, transitions: [HOSTILE, "x: y -> z"] };
}

const allTests = [...samples.tests, hostileTest()];

test("in a ladder no text lies on another, or outside", () => {
    for (const t of allTests)
        for (const wide of WIDTHS)
            for (const scale of ["even", "time"])
                for (const numbers of ["relative", "absolute"]) {
                    const layout = D.layoutLadder(D.ladderRows(t, t.trace), { wide, scale, numbers, requirement: "A TCP MUST. ".repeat(20) });
                    const boxes = boxesOf(layout), what = `${t.id.slice(0, 60)} at ${wide}, ${scale}, ${numbers}`;
                    for (const box of boxes) assert.ok(box.left >= 0 && box.right <= layout.wide + 1 && box.bottom <= layout.high, `${what}: "${box.text}" is cut off`);
                    assertApart(boxes, what);
                    layout.rows.forEach((place, i) => assert.ok(i === 0 || place.y >= layout.rows[i - 1].y + layout.rows[i - 1].high, what));
                }
});

test("a ladder to scale keeps times apart as they are", () => {
    const trace = [0, 1e9, 8e9, 9e9].map((at_ns, i) => ({ at_ns, kind: "received", index: i + 1, step: 0, segment: "> S 0:0(0) win 1", text: "" }));
    const { rows } = D.layoutLadder(D.ladderRows({ findings: [] }, trace), { wide: 800, scale: "time" });
    const gaps = rows.slice(1).map((place, i) => place.y - rows[i].y);
    assert.ok(gaps[1] > 3 * gaps[0] && gaps[1] > 3 * gaps[2], String(gaps));
});

test("what was found stands at its segment, silence at its time, and the model's note is not said twice", () => {
    const t = samples.tests.find((sample) => sample.id.includes("soft-error"));
    const rows = D.ladderRows(t, t.trace);
    assert.deepEqual(rows.filter((row) => row.findings.length).map((row) => [row.kind, row.index, row.findings.length]), [["segment", 2, 1], ["finding", 0, 1]]);
    assert.ok(!rows.some((row) => row.kind === "note" && row.text.startsWith("the model")));
    assert.ok(rows.some((row) => row.kind === "note" && row.text.startsWith("the model")) === false && t.trace.some((event) => event.text.startsWith("the model")));
});

test("states of both sides: the tester's inferred, the IUT's as told", () => {
    const t = samples.tests.find((sample) => sample.id.includes("send-in-last-ack"));
    const rows = D.ladderRows(t, t.trace);
    assert.deepEqual(rows.map((row) => row.tester).filter(Boolean), ["SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT"]);
    assert.deepEqual(rows.flatMap((row) => row.iut), ["CLOSED", "LISTEN", "SYN-RECEIVED", "ESTABLISHED", "CLOSE-WAIT", "LAST-ACK", "LISTEN"]);
    assert.strictEqual(rows.filter((row) => row.lost).length, 1);
});

test("a long trace folds in the middle, and shows what was found there", () => {
    const trace = Array.from({ length: 10000 }, (_, i) => ({ at_ns: i * 1000, kind: i % 2 ? "sent" : "received", index: i + 1, step: 1, segment: `${i % 2 ? "<" : ">"} . 1:1(0) ack 1 win 1`, text: "" }));
    const rows = D.ladderRows({ findings: [{ rule: "x", segment: 5000, level: "MUST", at_ns: 0 }] }, trace);
    assert.ok(rows.length < 250);
    assert.ok(rows.some((row) => row.index === 5000 && row.findings.length === 1));
    const folds = rows.filter((row) => row.kind === "fold");
    assert.strictEqual(folds.reduce((sum, row) => sum + row.count, 0) + rows.length - folds.length, 10000);
    assert.strictEqual(D.ladderRows({}, trace, Infinity).length, 10000);
});

// ---- states -----------------------------------------------------------------------------------------------------------------------

test("whatever the model saw of a run has a place in the state diagram", () => {
    const coverage = { transitions: samples.transitions.map((text) => /^(.*): (\S+) -> (\S+)$/u.exec(text)).map(([, event, from, to]) => ({ from, event, to, count: 1 })) };
    const shown = D.stateWays({ coverage, transitions: new Map() }).reduce((sum, way) => sum + way.count, 0);
    const listens = coverage.transitions.filter((t) => t.from === "LISTEN").length;
    assert.strictEqual(shown, coverage.transitions.length + listens, "some transition is neither an edge nor a cell");
});

test("in the state diagram no text lies on another, or outside", () => {
    const coverage = { transitions: samples.transitions.map((text) => /^(.*): (\S+) -> (\S+)$/u.exec(text)).map(([, event, from, to]) => ({ from, event, to, count: 12345 })) };
    for (const data of [{ coverage, transitions: new Map([["CLOSING>CLOSED", { count: 3, tests: ["a"], forbidden: 3, events: {} }], ["LISTEN>LISTEN", { forbidden: 9, tests: [] }]]) }, { coverage: { transitions: [] }, transitions: new Map() }]) {
        const root = D.drawStates(data, { wide: 1000, link: (what, value) => `#${what}/${JSON.stringify(value)}` });
        const [left, , wide, high] = root.attributes.get("viewBox").split(" ").map(Number);
        const boxes = root.all((node) => node.name === "text").map((node) => {
            const x = Number(node.attributes.get("x")), y = Number(node.attributes.get("y")), size = D.textWide(node.text), anchor = node.attributes.get("text-anchor");
            const from = anchor === "middle" ? x - size / 2 : anchor === "end" ? x - size : x;
            return { left: from, right: from + size, top: y - 9, bottom: y + 2, text: node.text };
        });
        for (const box of boxes) assert.ok(box.left >= left && box.right <= left + wide && box.bottom <= high, `"${box.text}" is cut off`);
        assertApart(boxes, "states");
        const labels = root.all((node) => node.attributes.get("class") === "d-edge-area"), states = root.all((node) => node.name === "rect" && node.attributes.get("rx") === "6");
        assert.ok(labels.length >= 20 && states.length === 12);
        const place = (node) => ["x", "y", "width", "height"].map((name) => Number(node.attributes.get(name)));
        for (const [x, y, w, h] of labels.map(place))
            for (const [bx, by, bw, bh] of states.map(place)) assert.ok(x + w <= bx + 2 || bx + bw <= x + 2 || y + h <= by + 2 || by + bh <= y + 2, `words at ${x},${y} lie on a state's box`);
    }
});

test("a test's transitions are the model's, and those forbidden what a finding tells", () => {
    const t = samples.tests.find((sample) => sample.id.startsWith("matrix/"));
    const found = D.transitionsOf(t, t.trace);
    assert.deepEqual(found.filter((way) => way.forbidden).map((way) => `${way.event}: ${way.from} -> ${way.to}`), ["RST arrives: SYN-RECEIVED -> SYN-RECEIVED"]);
    assert.ok(found.some((way) => !way.forbidden && way.from === "CLOSED" && way.to === "LISTEN"));
    assert.deepEqual([...D.transitionsOf({ transitions: ["timeout: TIME-WAIT -> LISTEN", "RST arrives: SYN-RECEIVED -> LISTEN"] }, [])].map((way) => way.to), ["CLOSED", "LISTEN"]);
});

// ---- grid -------------------------------------------------------------------------------------------------------------------------

test("cases of the matrix fall into the columns of the console's grid", () => {
    const rows = [["rst-ack", "0", "RST"], ["all", "0", "RST"], ["syn", "0", "SYN"], ["syn-ack", "10", "SYN,ACK"], ["none", "0", "no ACK"], ["fin", "1", "no ACK"], ["fin-ack", "1", "FIN"], ["ack", "0", "ACK"], ["ack-push", "10", "text"]];
    for (const [flags, octets, column] of rows) assert.strictEqual(D.cellOf(`matrix/established/active/${flags}/nxt/ack-una/${octets}/no-ts`), `established/active:${column}`);
    for (const id of ["rfc9293/3.5/x", "matrix/a/b/c", "matrix/a//c/d/e/0/g", "matrix/a/b/c/d/e/0/g/h", "", HOSTILE]) assert.strictEqual(D.cellOf(id), null);
    assert.deepEqual([{ pass: 24 }, { pass: 24, fail: 2 }, { known: 1, pass: 2 }, { not_applicable: 3 }, { fail: 1, error: 1 }].map(D.cellText), ["24", "2✗/26", "1k/3", "3–", "1✗/2"]);
    const grid = D.gridCells(["time-wait", "closed", "aa"].map((state) => ({ id: `matrix/${state}/x/syn/a/b/0/c`, outcome: "pass" })));
    assert.deepEqual(grid.rows, ["closed/x", "time-wait/x", "aa/x"]);
});

// ---- timing -----------------------------------------------------------------------------------------------------------------------

function talk(lines) {
    return lines.map(([at_s, segment, wire]) => ({ at_ns: at_s * 1e9, kind: segment.startsWith("<") ? "sent" : segment.startsWith(">") ? "received" : "return", index: 1, step: 0, segment: /^[<>]/u.test(segment) ? segment : "", text: wire ?? segment }));
}

test("a schedule is what only a timer can have caused", () => {
    const syn = "> S 0:0(0) win 1", wire = "seq 7 ack 0 on the wire";
    const rows = [
        ["a SYN again and again, then given up", [[0, syn, wire], [1, syn, wire], [3, syn, wire], [7, "-1 ETIMEDOUT (Connection timed out)"]], [["syn", [0, 1, 3], 7]]],
        ["once is no schedule", [[0, syn, wire], [1, "< S. 0:0(0) ack 1 win 1", "seq 9 ack 8 on the wire"]], []],
        ["what the tester sends between ends it", [[0, syn, wire], [1, syn, wire], [1.5, "< . 5:5(0) ack 0 win 1", "seq 14 ack 7 on the wire"], [3, syn, wire]], [["syn", [0, 1], null]]],
        ["other numbers are another segment", [[0, "> P. 1:11(10) ack 1 win 1", "seq 8 ack 1 on the wire"], [1, "> P. 11:21(10) ack 1 win 1", "seq 18 ack 1 on the wire"], [2, "> P. 1:11(10) ack 1 win 1", "seq 8 ack 1 on the wire"]], [["data", [0, 2], null]]],
        ["probes of a closed window, answered", [[0, "< . 1:1(0) ack 1 win 0", "seq 1 ack 100 on the wire"], [1, "> . 0:0(0) ack 1 win 1", "seq 99 ack 1 on the wire"], [1.1, "< . 1:1(0) ack 1 win 0", "seq 1 ack 100 on the wire"],
            [3, "> . 0:0(0) ack 1 win 1", "seq 99 ack 1 on the wire"]], [["probe", [0, 2], null]]],
        ["nonsense", [[0, HOSTILE, HOSTILE]], []],
    ];
    for (const [says, lines, wanted] of rows) {
        const found = D.timingOf({ id: "t" }, talk(lines)).filter((m) => m.at_ns).map((m) => [m.kind, m.at_ns.map((ns) => ns / 1e9), m.given_up_ns === undefined ? null : m.given_up_ns / 1e9]);
        assert.deepEqual(found, wanted, says);
    }
});

test("a handshake's latency, and each initial number once", () => {
    const found = D.timingOf({ id: "t" }, talk([[0, "< S 0:0(0) win 1", "seq 4294967295 ack 0 on the wire"], [0.25, "> S. 0:0(0) ack 1 win 1", "seq 77 ack 0 on the wire"], [1.25, "> S. 0:0(0) ack 1 win 1", "seq 77 ack 0 on the wire"]]));
    assert.deepEqual(found.filter((m) => m.kind === "handshake").map((m) => m.ns), [0.25e9]);
    assert.deepEqual(found.filter((m) => m.kind === "isn").map((m) => m.isn), [77]);
    const timed = D.isnsInTime([{ isn: 3, at_ns: 30 }, { isn: 1, at_ns: 10 }]), untimed = D.isnsInTime([{ isn: 3, at_ns: 30 }, { isn: 1, at_ns: null }]);
    assert.ok(timed.timed && !untimed.timed);
    assert.deepEqual([timed.list.map((m) => m.isn), untimed.list.map((m) => m.isn)], [[1, 3], [3, 1]]);
    const even = Array.from({ length: 1600 }, (_, i) => (i * 2654435761) % 2 ** 32), counted = Array.from({ length: 1600 }, (_, i) => i * 64000);
    assert.ok(D.isnFacts(even).chi < 40 && D.isnFacts(even).same === 0 && D.isnFacts(even).near < 16);
    assert.ok(D.isnFacts(counted).chi > 200 && D.isnFacts(counted).near === 1599);
});

// ---- everything -----------------------------------------------------------------------------------------------------------------------

test("everything draws, at any width, of real and of hostile results, and text stays text", () => {
    const link = (what, value) => `#${what}/${encodeURIComponent(JSON.stringify(value).replace(/[\ud800-\udfff]/gu, ""))}`;
    for (const wide of [300, 800, 2000]) {
        for (const t of allTests) {
            const root = D.drawLadder(t, t.trace, { wide, link, requirement: HOSTILE }), table = D.ladderTable(t, t.trace, { requirement: HOSTILE });
            const rows = root.all((node) => node.attributes.get("class")?.startsWith("d-row "));
            assert.strictEqual(rows.filter((node) => node.attributes.get("tabindex") === "0").length, 1);
            rows.forEach((row) => { row.listeners.get("pointerenter")(); row.listeners.get("focus")(); row.listeners.get("blur")(); });
            root.listeners.get("keydown")({ key: "End", preventDefault() {} });
            assert.strictEqual(rows.at(-1).attributes.get("tabindex"), "0");
            for (const node of [...root.all(() => true), ...table.all(() => true)]) {
                assert.ok(node.name !== "script" && !["style", "onload", "onclick"].some((name) => node.attributes.has(name)));
                for (const value of node.attributes.values()) assert.ok(!/NaN|undefined|\u0000|\u202e/u.test(value) || value.length > 2000, value.slice(0, 80));
            }
            assert.ok(!/[\u0000\u202e]/u.test(root.text + table.text));
        }
        const measured = allTests.flatMap((t) => D.timingOf(t, t.trace));
        for (const plot of D.drawTiming(measured, { wide, link }))
            for (const node of plot.figure?.all(() => true) ?? []) for (const value of node.attributes.values()) assert.ok(!/NaN|undefined|Infinity/u.test(value), `${plot.title}: ${value.slice(0, 80)}`);
        for (const figure of [D.drawBars([{ label: HOSTILE, counts: { satisfied: 3, violated: 1 }, href: "#x" }, { label: "RFC1", counts: {} }], { wide }), D.drawVerdicts({ pass: 3, fail: 2, known: 1 }, { wide }), D.drawVerdicts({}, { wide }),
            D.drawLine({ title: HOSTILE, lines: [{ name: HOSTILE, points: [[0, 0], [1, 5]] }, { name: "", points: [] }], x: "s", y: HOSTILE }, { wide }), D.drawSparkline([], { label: "none" }), D.drawSparkline([1, 2, 3])])
            for (const node of figure.all(() => true)) for (const value of node.attributes.values()) assert.ok(!/NaN|undefined|Infinity/u.test(value), value.slice(0, 80));
    }
    assert.strictEqual(D.drawGrid([{ id: "a" }], { link }), null);
    assert.ok(D.drawGrid([{ id: "matrix/a/b/syn/d/e/0/g", outcome: "fail" }], { link }).text.includes("1✗/1"));
    for (const empty of [[], undefined]) assert.ok(D.drawLadder({ id: "a" }, empty, {}).name === "svg");
});

test("no drawing writes markup, and names at the top are nobody else's", () => {
    const names = [];
    for (const text of sources()) {
        assert.ok(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/u.test(text));
        names.push(...[...text.matchAll(/^(?:export )?(?:function|const|let|class) (\w+)/gmu)].map((found) => found[1]));
    }
    assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
});
