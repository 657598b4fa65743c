// The tests: by section of their RFC, searched and filtered, scenario by scenario.

import { html } from "./dom.js";
import { address } from "./route.js";
import { choose, longText, outcomeMark, searchField, tally, tallyMarks, testLink, title } from "./parts.js";
import { groupBy } from "./summary.js";
import { OUTCOMES, count, number, sectionName } from "./words.js";
import { cellOf } from "./draw/grid.js";
import { transitionsSeen } from "./figures.js";

const VARIANTS_SHOWN = 100; // of a scenario; the others when wanted
const OPEN_BELOW = 40;      // so few tests found are shown without a click

export function deviates(test) {
    return test.verdict !== "fail" && test.findings.some((finding) => finding.level.startsWith("SHOULD"));
}

const IS = {
    verdict: (value) => value === "failed" ? (test) => test.verdict === "fail" : value === "deviations" ? deviates : (test) => test.outcome === value,
    rfc: (value) => (test) => test.id.startsWith(`${value}/`),
    section: (value) => (test) => test.section === value,
    covers: (value) => (test) => test.covers.includes(value) || test.findings.some((finding) => finding.requirement === value),
    rule: (value) => (test) => test.findings.some((finding) => finding.rule === value),
    about: (value) => (test) => test.findings.some((finding) => finding.requirement === value),
    transition: (value, report) => (test) => report.transitions?.get(value)?.of.has(test) ?? false,
    cell: (value) => (test) => cellOf(test.id) === value,
    q: (value) => {
        const words = value.toLowerCase().split(/\s+/).filter(Boolean);
        return (test) => words.every((word) => test.searched.includes(word));
    },
};

const SAYS = {
    covers: (value) => `about ${value}`, rule: (value) => `with a finding of rule ${value}`, about: (value) => `with a finding about ${value}`,
    transition: (value) => `that went from ${value.replace(">", " to ")}`, cell: (value) => `of the cell ${value}`,
};

export function selectTests(report, filters) {
    for (const test of report.tests) test.searched ??= `${test.id}\n${test.title}\n${test.reason}`.slice(0, 4000).toLowerCase();
    const wanted = [...filters].filter(([name, value]) => value && IS[name]).map(([name, value]) => IS[name](value, report));
    return report.tests.filter((test) => wanted.every((is) => is(test)));
}

function commonPrefix(tests) {
    let prefix = tests[0].id;
    for (const { id } of tests) while (!id.startsWith(prefix)) prefix = prefix.slice(0, -1);
    return tests.length === 1 ? prefix : prefix.slice(0, prefix.lastIndexOf("/") + 1) || prefix;
}

function variantItem(test, prefix) {
    const rest = test.id.slice(prefix.length) || test.id;
    const why = test.outcome === "known" && test.known_note ? test.known_note : test.reason;
    return html("li", null, outcomeMark(test), " ", testLink(test, rest), why ? html("span", { class: "why" }, why.slice(0, 300)) : null);
}

function variants(tests, prefix) {
    const list = html("ul", { class: "tests" }, tests.slice(0, VARIANTS_SHOWN).map((test) => variantItem(test, prefix)));
    if (tests.length <= VARIANTS_SHOWN) return list;
    const more = html("button", { type: "button", class: "quiet",
        onclick: () => {
            list.append(...tests.slice(VARIANTS_SHOWN).map((test) => variantItem(test, prefix)));
            more.remove();
        } }, `Show all ${number(tests.length)}`);
    return html("div", null, list, more);
}

// <details> whose content is made when it is opened.
function lazyDetails(attributes, summary, content, open) {
    const details = html("details", attributes, html("summary", null, summary));
    let made = false;
    const make = () => {
        if (!made && details.open) details.append(content());
        made = made || details.open;
    };
    details.addEventListener("toggle", make);
    details.open = open;
    make();
    return details;
}

function scenarioItem(tests, open) {
    const prefix = commonPrefix(tests);
    const [first] = tests;
    const marks = tallyMarks(tally(tests, (test) => test.outcome, OUTCOMES), OUTCOMES);
    if (tests.length === 1)
        return html("div", { class: "scenario single" }, html("span", { class: "name" }, testLink(first, first.title || first.id)), marks,
            html("span", { class: "id fine" }, first.id));
    return lazyDetails({ class: "scenario" },
        [html("span", { class: "name" }, first.title || prefix), marks, html("span", { class: "id fine" }, prefix.replace(/\/$/, ""))],
        () => variants(tests, prefix), open);
}

function sectionItem(section, tests, open) {
    const scenarios = [...groupBy(tests, (test) => test.file || test.title || test.id).values()];
    return html("section", { class: "group" },
        html("h2", null, sectionName(section), " ", tallyMarks(tally(tests, (test) => test.outcome, OUTCOMES), OUTCOMES)),
        scenarios.map((list) => scenarioItem(list, open)));
}

function testsFound(report, filters) {
    const found = selectTests(report, filters);
    const sections = groupBy(found, (test) => test.section);
    const said = Object.entries(SAYS).filter(([name]) => filters.get(name)).map(([name, say]) => say(filters.get(name)));
    return html("div", null,
        html("p", { class: "found" }, count(found.length, "test"), said.length ? ` ${said.join(", ")}` : "", " ",
            tallyMarks(tally(found, (test) => test.outcome, OUTCOMES), OUTCOMES)),
        said.length ? html("p", null, html("a", { href: address("tests") }, "All tests")) : null,
        found.length ? [...sections].sort(([a], [b]) => bySection(a, b)).map(([section, tests]) => sectionItem(section, tests, found.length <= OPEN_BELOW)) : html("p", null, "No test matches."));
}

// The RFCs' sections in their order, then the others, and the matrix at last.
function bySection(a, b) {
    const rank = (section) => section.startsWith("rfc") ? 0 : section.startsWith("matrix/") ? 2 : 1;
    return rank(a) - rank(b); // stable: of one rank as they come
}

export async function testsView(report, filters, changed) {
    if (filters.get("transition")) await transitionsSeen(report);
    let result = testsFound(report, filters);
    const set = (name) => (value) => {
        if (value) filters.set(name, value);
        else filters.delete(name);
        const next = testsFound(report, filters);
        result.replaceWith(next);
        result = next;
        changed(result.querySelector(".found").textContent);
    };
    const sections = [...new Set(report.tests.map((test) => test.section))].sort(bySection);
    const rfcs = [...new Set(sections.filter((section) => section !== "other").map((section) => section.split("/")[0]))];
    const inRfc = filters.get("rfc") ?? "";
    return html("article", null, title("Tests"),
        html("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
            searchField("Search ids, titles and reasons", filters.get("q") ?? "", set("q")),
            choose("Verdict", "verdict", [["", "all"], ["failed", "failed, known or not"], ...Object.entries(OUTCOMES).map(([key, { word }]) => [key, key === "fail" ? "failed, not known" : word]),
                ["deviations", "with deviations"]], filters.get("verdict") ?? "", set("verdict")),
            choose("Part", "rfc", [["", "all"], ...rfcs.map((rfc) => [rfc, sectionName(rfc + "/").replace(/ ?[§,].*$/, "")])], inRfc, set("rfc")),
            choose("Section", "section", [["", "all"], ...sections.map((section) => [section, sectionName(section)])], filters.get("section") ?? "", set("section"))),
        result);
}
