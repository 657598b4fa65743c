// The first page: what was tested, what came of it, and what to look at first.

import { html } from "./dom.js";
import { address } from "./route.js";
import { bar, definition, longText, tally, tallyMarks, requirementLink, table, row, title } from "./parts.js";
import { OUTCOMES, STATUSES, count, duration, number, rfcName } from "./words.js";

// How grave a finding is: new before known, then by level (the steps of a procedure bind as a MUST does), then by how much it breaks.
const GRAVITY = { "MUST NOT": 0, MUST: 0, RULE: 0, "SHOULD NOT": 1, SHOULD: 1 };

// Findings of failing tests, those of one rule and requirement together: { finding, tests, known }, gravest first.
export function gatherFindings(tests) {
    const groups = new Map();
    for (const test of tests) {
        if (test.verdict !== "fail") continue;
        const finding = test.findings[0] ?? { rule: "", requirement: "", level: test.level, message: test.reason };
        const key = JSON.stringify([finding.rule, finding.requirement, test.known ? test.known_note : ""]);
        if (!groups.has(key)) groups.set(key, { finding, first: test, tests: 0, known: test.known });
        groups.get(key).tests++;
    }
    const rank = (group) => [group.known ? 1 : 0, GRAVITY[group.finding.level] ?? 2, -group.tests];
    return [...groups.values()].sort((a, b) => {
        const left = rank(a), right = rank(b);
        const at = left.findIndex((value, i) => value !== right[i]);
        return at < 0 ? 0 : left[at] - right[at];
    });
}

function sentence(text) {
    const trimmed = text.trim();
    if (!trimmed) return "";
    const first = trimmed[0].toUpperCase() + trimmed.slice(1);
    return /[.!?…]$/.test(first) ? first : `${first}.`;
}

// What is wrong in a sentence: the ledger's own words, or the rule's, or what was seen.
function findingSentence(report, group) {
    if (group.known && group.first.known_note) return sentence(group.first.known_note);
    const rule = report.rules.find((candidate) => candidate.name === group.finding.rule);
    if (rule) return sentence(`When ${rule.condition}, the IUT ${rule.violation}`);
    return sentence(`${group.first.title || group.first.id}: ${group.finding.message || group.first.reason}`);
}

function findingItem(report, group) {
    const { finding, known } = group;
    const requirement = report.requirementById.get(finding.requirement);
    return html("li", { class: `finding tone-${known ? "known" : "fail"}` },
        html("p", { class: "says" }, longText(findingSentence(report, group))),
        html("p", { class: "fine" }, finding.level || requirement?.level || "", " ", requirement ? requirementLink(finding.requirement) : null, " · ",
            html("a", { href: address("tests", "", { verdict: known ? "known" : "fail", rule: finding.rule, about: finding.requirement }) },
                count(group.tests, "test")),
            " · first in ", html("a", { class: "id", href: address("test", group.first.id) }, group.first.id),
            known ? " · known to the target's ledger" : ""));
}

function findingsSection(report) {
    const groups = gatherFindings(report.tests);
    if (!groups.length) return null;
    const rest = groups.length - 3;
    return html("section", null, html("h2", null, groups.length > 1 ? "The most serious findings" : "The finding"),
        html("ol", { class: "findings" }, groups.slice(0, 3).map((group) => findingItem(report, group))),
        rest > 0 ? html("details", null, html("summary", null, `${count(rest, "more finding")}`),
            html("ol", { class: "findings", start: 4 }, groups.slice(3, 60).map((group) => findingItem(report, group))),
            rest > 57 ? html("p", null, html("a", { href: address("tests", "", { verdict: "failed" }) }, "All failing tests")) : null) : null);
}

// The whole run in one sentence, never a green one for less than a whole run.
export function runSentence(report) {
    const { pass, fail, known, error, inconclusive } = { ...report.summary };
    const total = report.tests.length;
    if (!total) return "No test has finished.";
    const fresh = fail - known;
    const parts = [`${number(pass)} of ${count(total, "test")} passed`];
    if (fresh) parts.push(`${number(fresh)} failed`);
    if (known) parts.push(`${number(known)} failed as the target's ledger knows`);
    if (error) parts.push(`${number(error)} could not be run for errors of the tester`);
    if (inconclusive) parts.push(`${number(inconclusive)} stayed undecided`);
    if (report.summary.not_applicable) parts.push(`${number(report.summary.not_applicable)} did not apply`);
    return `${parts.join(", ")}.`;
}

function verdictsSection(report) {
    const counts = tally(report.tests, (test) => test.outcome, OUTCOMES);
    const cards = [...counts].map(([outcome, value]) => {
        const { mark, word, tone } = OUTCOMES[outcome];
        return html("li", null, html("a", { class: `count tone-${tone}${value ? "" : " none"}`, href: address("tests", "", { verdict: outcome }) },
            html("span", { class: "number" }, number(value)),
            html("span", { class: "word" }, html("span", { class: "mark", "aria-hidden": "true" }, mark), word)));
    });
    cards.push(html("li", null, html("a", { class: `count tone-deviation${report.summary.deviations ? "" : " none"}`, href: address("tests", "", { verdict: "deviations" }) },
        html("span", { class: "number" }, number(report.summary.deviations)),
        html("span", { class: "word" }, html("span", { class: "mark", "aria-hidden": "true" }, "△"), "deviations"))));
    return html("section", null, html("h2", { class: "unseen" }, "Verdicts"), html("p", { class: "lead" }, runSentence(report)),
        bar(counts, OUTCOMES, 10), html("ul", { class: "counts" }, cards));
}

function rfcRow(rfc, requirements) {
    const counts = tally(requirements, (requirement) => requirement.status, STATUSES);
    const judged = requirements.length - counts.get("untested") - counts.get("untestable");
    return row(html("a", { href: address("requirements", "", { rfc }) }, rfcName(rfc)), bar(counts, STATUSES),
        judged ? `${number(counts.get("satisfied"))} of ${number(judged)}` : "–", tallyMarks(counts, STATUSES));
}

function conformanceSection(report) {
    const byRfc = groupBy(report.requirements, (r) => r.rfc);
    const order = [...byRfc].filter(([, list]) => list.some((r) => r.tests.length)).sort(([a], [b]) => byRfc.get(b).length - byRfc.get(a).length);
    const silent = byRfc.size - order.length;
    if (!order.length) return null;
    return html("section", null, html("h2", null, "Conformance by RFC"),
        table("Conformance by RFC", ["RFC", "Requirements", "Satisfied, of those judged", "Status"], order.map(([rfc, list]) => rfcRow(rfc, list)),
            { class: "bars" }),
        silent ? html("p", { class: "fine" }, `This run tested nothing of ${count(silent, "more RFC")} of the catalogue; `,
            html("a", { href: address("requirements", "", { status: "untested" }) }, "what is untested"), ".") : null);
}

export function groupBy(items, keyOf) {
    const groups = new Map();
    for (const item of items) {
        const key = keyOf(item);
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(item);
    }
    return groups;
}

function portraitSection(report) {
    if (!report.portrait.length) return null;
    return html("section", null, html("h2", null, "Portrait of the stack"),
        html("p", { class: "fine" }, "What it chose where the RFCs leave a choice."),
        table("Portrait of the stack", ["It …", "Source"],
            report.portrait.map((choice) => row([longText(choice.text), html("span", { class: "fine" }, ` · seen\u00a0${number(choice.count)}×`)], choice.source)), { class: "portrait" }));
}

export function identification(report) {
    const { run } = report;
    return [
        definition("Implementation under test", longText(run.target.description || run.target.name)),
        definition("Target", html("code", null, longText(run.target.name))),
        definition("Started", html("time", null, run.started)),
        definition("Duration", report.finished ? duration(report.duration_ns) : "not known: cut short"),
        definition("Tester", `tcpassay ${run.tcpassay}`),
        definition("Selection", `profile ${run.profile}`, run.selectors.length ? [", ", html("code", null, longText(run.selectors.join(" ")))] : run.profile === "fuzz" ? ", a fuzzing campaign" : ", the whole suite"),
        definition("Seed", html("code", null, report.seed)),
    ];
}

export function pixitTable(report) {
    const settings = Object.entries(report.run.target.pixit);
    if (!settings.length) return html("p", { class: "fine" }, "The target has told none.");
    return table("PIXIT: parameters of the target", ["Parameter", "Value"],
        settings.map(([name, value]) => row(html("code", null, longText(name)), longText(String(value)))), { class: "pixit" });
}

export function summaryView(report) {
    return html("article", null, title(`TCP conformance of ${report.run.target.name}`),
        html("p", { class: "fine" }, longText(report.run.target.description)),
        verdictsSection(report),
        html("div", { class: "columns" },
            html("div", null, findingsSection(report), conformanceSection(report)),
            html("div", null,
                html("section", null, html("h2", null, "What was tested"), html("dl", { class: "facts" }, identification(report))),
                portraitSection(report),
                html("section", null, html("h2", null, "PIXIT"), html("details", null, html("summary", null, "Parameters of the target"), pixitTable(report))))));
}
