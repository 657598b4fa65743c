// Writes a page with all drawings of a run: node gallery.mjs RESULTS.json OUT.html. For looking at them while they are made.
import { readFileSync, writeFileSync } from "node:fs";
import { asScript } from "./load.mjs";

const [input, output] = process.argv.slice(2);
const run = JSON.parse(readFileSync(input, "utf8"));
const css = readFileSync(new URL("../draw.css", import.meta.url), "utf8");
const colours = `
:root{--paper:#fff;--panel:#f5f5f2;--ink:#1b1b1b;--ink-soft:#55585c;--line:#d0d0cc;--accent:#1f5fae;--pass:#1a7f4b;--pass-soft:#dff2e6;--fail:#b3261e;--fail-soft:#fbe4e2;
--known:#8a5a00;--known-soft:#f7ebd3;--inconclusive:#5b4a9c;--inconclusive-soft:#e9e4f7;--error:#8c1d6b;--error-soft:#f6def0;--na:#6a6e73;--na-soft:#ececec;--deviation:#8a5a00;--deviation-soft:#faf0dc;--mono:ui-monospace,"DejaVu Sans Mono",monospace;--sans:system-ui,sans-serif}
@media (prefers-color-scheme:dark){:root{--paper:#16181b;--panel:#1f2226;--ink:#ececea;--ink-soft:#a6abb2;--line:#3a3f45;--accent:#7db4f5;--pass:#5cc98d;--pass-soft:#16351f;--fail:#ff8a80;--fail-soft:#431a18;
--known:#e0b050;--known-soft:#3a2c10;--inconclusive:#b6a6f0;--inconclusive-soft:#2a2344;--error:#f08ccf;--error-soft:#3c1730;--na:#9aa0a6;--na-soft:#2a2d31;--deviation:#e0b050;--deviation-soft:#3a2c10}}
body{font:15px/1.4 var(--sans);background:var(--paper);color:var(--ink);margin:12px} .scroll{overflow-x:auto} h2{font-size:16px;margin:18px 0 4px} @media print{.scroll{overflow:visible}}`;

// The page's part of it: what each drawing wants, of this run.
const page = () => {
    const main = document.querySelector("main"), D = globalThis.drawings, wide = Math.min(main.clientWidth, 1100);
    const link = (what, value) => `#${what}=${encodeURIComponent(JSON.stringify(value))}`;
    const add = (title, ...nodes) => {
        const h2 = document.createElement("h2"), box = document.createElement("div");
        h2.textContent = title;
        box.className = "scroll";
        box.append(...nodes);
        main.append(h2, box);
    };
    const tests = globalThis.run.tests.map((test, n) => ({ ...test, n, outcome: test.verdict === "fail" && test.known ? "known" : test.verdict }));
    const wanted = new URLSearchParams(location.search);
    const of = (part) => tests.find((test) => test.id.includes(part) && test.trace.length);
    const shown = (wanted.get("tests") ?? "").split(",").filter(Boolean).map(of).filter(Boolean);
    for (const test of shown) {
        const options = { wide, link, scale: wanted.get("scale") ?? "even", numbers: wanted.get("numbers") ?? "relative", requirement: "When the connection is in a synchronized state, any unacceptable segment must be answered." };
        add(test.id, D.drawLadder(test, test.trace, options));
        if (wanted.get("table")) add("as a table", D.ladderTable(test, test.trace, options));
    }
    const parts = (wanted.get("parts") ?? "").split(",");
    if (parts.includes("states")) {
        const transitions = new Map();
        const began = performance.now();
        for (const test of tests)
            for (const t of D.transitionsOf(test, test.trace)) {
                const key = `${t.from}>${t.to}`, entry = transitions.get(key) ?? { count: 0, tests: [], forbidden: 0, events: {} };
                entry.count++;
                entry.forbidden += t.forbidden ? 1 : 0;
                entry.tests.push(test.id);
                entry.events[t.event] = (entry.events[t.event] ?? 0) + 1;
                transitions.set(key, entry);
            }
        console.log(`transitions ${Math.round(performance.now() - began)} ms`);
        add("states", D.drawStates({ coverage: globalThis.run.coverage, transitions }, { wide, link }));
    }
    if (parts.includes("grid")) add("grid", D.drawGrid(tests, { wide, link }));
    if (parts.includes("timing")) {
        const began = performance.now(), all = tests.flatMap((test) => D.timingOf(test, test.trace));
        console.log(`timing ${Math.round(performance.now() - began)} ms, ${all.length} measurements`);
        for (const plot of D.drawTiming(all, { wide, link })) {
            const p = document.createElement("p");
            p.textContent = plot.text;
            add(plot.title, p, plot.figure);
        }
    }
    if (parts.includes("charts")) {
        add("verdicts", D.drawVerdicts(globalThis.run.summary, { wide, link }));
        const byRfc = new Map();
        for (const r of globalThis.run.requirements) {
            const rfc = r.id.split(":")[0];
            byRfc.set(rfc, { ...byRfc.get(rfc), [r.status]: (byRfc.get(rfc)?.[r.status] ?? 0) + 1 });
        }
        add("bars", D.drawBars([...byRfc].map(([label, counts]) => ({ label, counts })), { wide, link }));
        const points = Array.from({ length: 40 }, (_, i) => [i * 30, 900 * (1 - Math.exp(-i / 8))]);
        add("line", D.drawLine({ title: "Coverage over time", lines: [{ name: "tuples", points }, { name: "rules", points: points.map(([x, y]) => [x, y / 7]) }], x: "seconds", y: "seen" }, { wide }));
        add("sparkline", D.drawSparkline([3, 5, 2, 8, 9, 4], { label: "failures of the last six runs" }));
    }
};
const json = JSON.stringify(run).replaceAll("<", "\\u003c");
writeFileSync(output, `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>drawings</title><style>${colours}${css}</style><main></main>
<script>globalThis.run = ${json}</script><script>${asScript()}</script><script>(${page})()</script></html>`);
