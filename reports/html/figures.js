// The drawn views: state diagram, grid, timing. What they are made of takes all the traces, so it is gathered when first looked at.

import { html } from "./dom.js";
import { link } from "./route.js";
import { traceOf } from "./data.js";
import { longText, outcomeChip, row, table, testLink, title } from "./parts.js";
import { count, duration, number } from "./words.js";
import { drawStates, statesTable, transitionsOf } from "./draw/states.js";
import { cellOf, drawGrid } from "./draw/grid.js";
import { drawTiming, timingOf } from "./draw/timing.js";
import { drawLine } from "./draw/charts.js";

// How wide a drawing may be: as the page, without its margins and the frame's.
function room() {
    const main = document.getElementById("main"), { paddingLeft, paddingRight } = getComputedStyle(main);
    return Math.max(300, main.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - 18);
}

function frame(label, figure) {
    return html("div", { class: "scroll figure", tabindex: 0, role: "region", "aria-label": label }, figure);
}

async function gatherTransitions(report) {
    const transitions = new Map();
    for (const test of report.tests)
        for (const { from, to, event, forbidden } of transitionsOf(test, test.findings.length ? await traceOf(report, test) : [])) {
            const key = `${from}>${to}`;
            if (!transitions.has(key)) transitions.set(key, { count: 0, tests: [], of: new Set(), forbidden: 0, events: {} });
            const seen = transitions.get(key);
            seen.count++;
            seen.forbidden += forbidden ? 1 : 0;
            seen.events[event] = (seen.events[event] ?? 0) + 1;
            if (seen.of.has(test)) continue;
            seen.of.add(test);
            seen.tests.push(test.id);
        }
    return transitions;
}

// "FROM>TO" → { count, tests (ids), of (a Set of them), forbidden, events }; kept in report.transitions once it is there.
export async function transitionsSeen(report) {
    report.transitionsGathered ??= gatherTransitions(report);
    report.transitions = await report.transitionsGathered;
    return report.transitions;
}

export async function statesView(report) {
    const transitions = await transitionsSeen(report);
    return html("article", null, title("State diagram"),
        html("p", { class: "fine" }, "Figure 5 of RFC 9293, completed. Each arrow opens the tests that took it."),
        frame("State diagram", drawStates({ coverage: report.coverage, transitions }, { wide: room(), link })),
        html("details", null, html("summary", null, "The same as a table"),
            html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "State transitions" }, statesTable({ coverage: report.coverage, transitions }, { link }))));
}

export function gridView(report) {
    const cases = report.tests.filter((test) => cellOf(test.id));
    return html("article", null, title("State × event grid"),
        cases.length
            ? [html("p", { class: "fine" }, `${count(cases.length, "case")} of the state × event matrix: a row is a way into a state, a column a class of segment. Each cell opens its cases.`),
                frame("State by event grid", drawGrid(cases, { wide: room(), link }))]
            : html("p", null, "This run holds no case of the matrix: ", html("code", null, "tcpassay run '*' matrix"), " plays it, too."));
}

async function gatherTiming(report) {
    const measured = [];
    for (const test of report.tests) {
        if (test.part < 0) continue;
        for (const measurement of timingOf(test, await traceOf(report, test))) measured.push(measurement);
    }
    return measured;
}

export async function timingView(report) {
    report.timingGathered ??= gatherTiming(report);
    const plots = drawTiming(await report.timingGathered, { wide: room(), link });
    return html("article", null, title("Timing"),
        plots.length
            ? plots.map(({ title: name, text, figure }) => html("section", { class: "plot" }, html("h2", null, name), text ? html("p", null, text) : null, figure ? frame(name, figure) : null))
            : html("p", null, "Nothing of this run shows timing."));
}

// ---- fuzzing

export function isFuzzed(report) {
    return report.progress.length > 0 || report.tests.some((test) => test.id.startsWith("fuzz/"));
}

function progressSection(report) {
    if (report.progress.length < 2) return null;
    const last = report.progress.at(-1);
    const plot = (title, members) => frame(title, drawLine({ title, x: "seconds", y: "",
        lines: members.map((name) => ({ name, points: report.progress.map((point) => [point.at_ns / 1e9, point[name]]) })) }, { wide: room() }));
    return html("section", null, html("h2", null, "Coverage over time"),
        html("p", null, `${count(last.plays, "play")} in ${duration(last.at_ns)}: ${number(last.tuples)} triples of state, event and reaction, ${count(last.rules, "rule")} of the model put to the test, ${count(last.inputs, "input")} kept.`),
        plot("Triples of state, event and reaction", ["tuples"]), plot("Rules put to the test", ["rules"]), plot("Findings", ["findings"]));
}

export function fuzzView(report) {
    const found = report.tests.filter((test) => test.id.startsWith("fuzz/") && test.findings.length);
    const line = (test) => row(testLink(test), outcomeChip(test), [longText(test.findings[0].message), html("span", { class: "fine" }, ` ${test.findings[0].requirement}`)], html("code", null, longText(test.file)));
    return html("article", null, title("Fuzzing"),
        found.length ? [html("p", { class: "fine" }, "Each finding shrunk to the shortest scenario that shows it; it opens to its ladder and its text, and replays with ",
            html("code", null, "tcpassay replay"), "."), table("Findings", ["Finding", "Verdict", "What", "Scenario"], found.map(line), { class: "fuzzed" })]
            : html("p", null, "Fuzzing found nothing."),
        progressSection(report));
}
