// The catalogue: every requirement with its status, and what stands behind it.

import { html } from "./dom.js";
import { address } from "./route.js";
import { chip, choose, definition, longText, outcomeMark, requirementLink, row, searchField, statusChip, table, tally, tallyMarks, testLink, title } from "./parts.js";
import { OUTCOMES, STATUSES, count, number, rfcLink, rfcName } from "./words.js";

const LEVELS_SHOWN = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "RULE"];

// "internal: why it cannot be tested" → why.
export function whyUntestable(requirement) {
    return requirement.observable.startsWith("internal: ") ? requirement.observable.slice("internal: ".length) : "";
}

export function selectRequirements(report, filters) {
    const words = (filters.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const is = (name, value) => !filters.get(name) || filters.get(name) === value;
    return report.requirements.filter((r) => is("rfc", r.rfc) && is("level", r.level) && is("status", r.status)
        && words.every((word) => r.id.toLowerCase().includes(word) || r.text.toLowerCase().includes(word)));
}

function requirementRow(requirement) {
    const why = requirement.status === "untestable" ? whyUntestable(requirement) : "";
    return row(requirementLink(requirement.id), requirement.level, statusChip(requirement),
        [requirement.text ? longText(requirement.text) : html("em", null, "not in the catalogue"),
            why ? html("span", { class: "why" }, "Untestable from outside: ", why) : null],
        requirement.tests.length ? html("a", { href: address("tests", "", { covers: requirement.id }) }, count(requirement.tests.length, "test")) : "–");
}

function requirementsFound(report, filters) {
    const found = selectRequirements(report, filters);
    return html("div", null,
        html("p", { class: "found" }, count(found.length, "requirement"), " ", tallyMarks(tally(found, (r) => r.status, STATUSES), STATUSES)),
        found.length ? table("Requirements", ["Id", "Level", "Status", "Text", "Tests"], found.map(requirementRow), { class: "requirements" })
            : html("p", null, "No requirement matches."));
}

// filters: a Map that this view changes, calling changed() then.
export function requirementsView(report, filters, changed) {
    const rfcs = [...new Set(report.requirements.map((r) => r.rfc))];
    let result = requirementsFound(report, filters);
    const set = (name) => (value) => {
        if (value) filters.set(name, value);
        else filters.delete(name);
        const next = requirementsFound(report, filters);
        result.replaceWith(next);
        result = next;
        changed(result.querySelector(".found").textContent);
    };
    const all = (text) => ["", text];
    return html("article", null, title("Requirements"),
        html("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() },
            searchField("Search ids and text", filters.get("q") ?? "", set("q")),
            choose("RFC", "rfc", [all("all"), ...rfcs.map((rfc) => [rfc, rfcName(rfc)])], filters.get("rfc") ?? "", set("rfc")),
            choose("Level", "level", [all("all"), ...LEVELS_SHOWN.map((level) => [level, level])], filters.get("level") ?? "", set("level")),
            choose("Status", "status", [all("all"), ...Object.entries(STATUSES).map(([key, { word }]) => [key, word])], filters.get("status") ?? "", set("status"))),
        result);
}

function ruleItem(rule) {
    const tone = rule.violated ? { mark: "✗", word: `broken ${number(rule.violated)} times`, tone: "fail" }
        : rule.tested ? { mark: "✓", word: "never broken", tone: "pass" } : { mark: "○", word: "not put to the test", tone: "na" };
    return html("li", null, html("code", null, `rule:${rule.name}`), " ", chip(tone), html("br"),
        `When ${rule.condition}, ${rule.demand}. Put to the test ${number(rule.tested)} times.`);
}

const TESTS_SHOWN = 300;

function testsBehind(requirement) {
    const { tests } = requirement;
    if (!tests.length) return html("p", null, requirement.status === "untestable" ? "No test can cover it." : "No test of this run covers it.");
    const order = Object.keys(OUTCOMES);
    const sorted = [...tests].sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome) || a.n - b.n);
    return [
        html("p", { class: "found" }, count(tests.length, "test"), " ", tallyMarks(tally(tests, (test) => test.outcome, OUTCOMES), OUTCOMES)),
        html("ul", { class: "tests" }, sorted.slice(0, TESTS_SHOWN).map((test) => html("li", null, outcomeMark(test), " ", testLink(test)))),
        tests.length > TESTS_SHOWN ? html("p", null, html("a", { href: address("tests", "", { covers: requirement.id }) }, `All ${number(tests.length)} tests`)) : null,
    ];
}

export function requirementView(report, id) {
    const requirement = report.requirementById.get(id);
    if (!requirement)
        return html("article", null, title("No such requirement"), html("p", null, "This report has no requirement ", html("code", null, id), ". "),
            html("p", null, html("a", { href: address("requirements") }, "All requirements")));
    const outside = rfcLink(requirement.rfc, requirement.section);
    const why = whyUntestable(requirement);
    return html("article", null,
        html("p", { class: "path" }, html("a", { href: address("requirements") }, "Requirements"), " › ",
            html("a", { href: address("requirements", "", { rfc: requirement.rfc }) }, rfcName(requirement.rfc))),
        title(requirement.id, statusChip(requirement)),
        requirement.text ? html("blockquote", null, longText(requirement.text)) : html("p", null, "The catalogue does not have it; tests claim to cover it."),
        html("dl", { class: "facts" },
            requirement.level ? definition("Level", requirement.level) : null,
            requirement.section ? definition("Section", outside ? html("a", { href: outside, rel: "noreferrer" }, `${rfcName(requirement.rfc)} §${requirement.section}`) : `§${requirement.section}`) : null,
            why ? definition("Why it cannot be tested", why) : null),
        requirement.rules.length ? html("section", null, html("h2", null, "Rules of the model"), html("ul", { class: "plain" }, requirement.rules.map(ruleItem))) : null,
        html("section", null, html("h2", null, "Tests"), testsBehind(requirement)));
}
