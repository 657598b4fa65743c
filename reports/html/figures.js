// The drawn views: state diagram, grid, timing. What they are made of takes all the traces, so it is gathered when first looked at.

import { html } from "./dom.js";
import { link } from "./route.js";
import { traceOf } from "./data.js";
import { title } from "./parts.js";
import { count } from "./words.js";
import { drawStates, transitionsOf } from "./draw/states.js";
import { cellOf, drawGrid } from "./draw/grid.js";
import { drawTiming, timingOf } from "./draw/timing.js";

// How wide a drawing may be: the page's own width.
function room() {
    return Math.max(320, document.getElementById("main").clientWidth - 32);
}

function frame(label, figure) {
    return html("div", { class: "scroll figure", tabindex: 0, role: "region", "aria-label": label }, figure);
}

async function gatherTransitions(report) {
    const transitions = new Map();
    for (const test of report.tests) {
        const trace = test.transitions.length ? [] : await traceOf(report, test);
        for (const { from, to, event, forbidden } of transitionsOf(test, trace)) {
            const key = `${from}>${to}`;
            if (!transitions.has(key)) transitions.set(key, { count: 0, tests: 0, forbidden: false, events: [], last: null });
            const seen = transitions.get(key);
            seen.count++;
            if (seen.last !== test) seen.tests++;
            seen.last = test;
            seen.forbidden ||= Boolean(forbidden);
            if (event && !seen.events.includes(event)) seen.events.push(event);
        }
    }
    return transitions;
}

export async function statesView(report) {
    report.transitionsGathered ??= gatherTransitions(report);
    const transitions = await report.transitionsGathered;
    return html("article", null, title("State diagram"),
        html("p", { class: "fine" }, "Figure 5 of RFC 9293, completed. Each arrow opens the tests that took it."),
        frame("State diagram", drawStates({ coverage: report.coverage, transitions }, { wide: room(), link })));
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
            ? plots.map(({ title: name, text, figure }) => html("section", { class: "plot" }, html("h2", null, name), text ? html("p", null, text) : null, frame(name, figure)))
            : html("p", null, "Nothing of this run shows timing."));
}
