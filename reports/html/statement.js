// The statement of conformance, with what ISO/IEC 9646-5 wants of a test report (SCTR, PCTR): made to be printed.

import { html } from "./dom.js";
import { bar, longText, requirementLink, row, statusChip, table, tally, tallyMarks } from "./parts.js";
import { gatherFindings, groupBy, identification, pixitTable, runSentence } from "./summary.js";
import { whyUntestable } from "./requirements.js";
import { OUTCOMES, STATUSES, VERDICT_MEANINGS, count, number, rfcName } from "./words.js";
import { title } from "./parts.js";

// What may be said of conformance: nothing good of a run that is not whole, or in which nothing was decided.
export function verdictOnConformance(report) {
    const { fail, pass, error, inconclusive } = report.summary;
    const violated = report.requirements.filter((r) => r.status === "violated").length;
    if (fail) return `The test campaign revealed errors in the implementation: it is non-conforming in ${count(violated, "requirement")}.`
        + (report.partial ? " The campaign was not completed; there may be more." : "");
    if (report.partial) return "The test campaign was not completed: no statement about conformance is made.";
    if (!pass) return "No test came to a verdict about the implementation: no statement about conformance is made.";
    if (error || inconclusive) return `No error was revealed, but ${count(error + inconclusive, "test")} came to no verdict: the statement holds for the others only.`;
    return "The test campaign did not reveal errors in the implementation.";
}

// What the stack is seen to do and not to do, and what it was said to lack: its side of the PICS that shows.
function picsRows(report) {
    const rows = report.portrait.filter((choice) => choice.unit === "yes or no")
        .map((choice) => row(choice.question, choice.sum === 0 ? "no" : choice.sum === choice.count ? "yes" : `sometimes (${number(choice.sum)} of ${number(choice.count)})`, choice.source));
    const lacking = groupBy(report.tests.filter((test) => test.outcome === "not_applicable"), (test) => test.reason);
    for (const [reason, tests] of lacking) rows.push(row(longText(reason || "not applicable"), "not supported", count(tests.length, "test")));
    return rows;
}

function verdictRows(report) {
    const counts = tally(report.tests, (test) => test.verdict, { pass: 0, fail: 0, inconclusive: 0, error: 0, not_applicable: 0 });
    const rows = Object.entries(VERDICT_MEANINGS).map(([verdict, meaning]) => row(verdict.replace("_", " "), number(counts.get(verdict) ?? 0), meaning));
    rows.push(row("known, of the failures", number(report.summary.known), "Listed in the target's ledger, with evidence. They are failures like others."));
    rows.push(row("deviations", number(report.summary.deviations), "A SHOULD or SHOULD NOT not followed, in tests that do not fail."));
    return rows;
}

// Whoever does not see all of a group's tests reads of the worst.
function observation(tests) {
    const worst = ["fail", "error", "known", "inconclusive", "not_applicable"].find((outcome) => tests.some((test) => test.outcome === outcome));
    const test = tests.find((candidate) => candidate.outcome === worst);
    if (!test) return "";
    return (test.outcome === "known" && test.known_note ? test.known_note : test.reason).slice(0, 400);
}

function campaignRow([file, tests]) {
    return row(html("code", null, longText(file || "–")), tests[0].title.slice(0, 300), number(tests.length),
        tallyMarks(tally(tests, (test) => test.outcome, OUTCOMES), OUTCOMES), observation(tests));
}

function statusRow(requirement) {
    const why = requirement.status === "untestable" ? whyUntestable(requirement) : "";
    return row(requirementLink(requirement.id), requirement.level, statusChip(requirement), requirement.tests.length ? number(requirement.tests.length) : "–",
        [longText(requirement.text || "Not in the catalogue."), why ? html("span", { class: "why" }, "Untestable from outside: ", why) : null]);
}

function rfcSection([rfc, requirements]) {
    const counts = tally(requirements, (r) => r.status, STATUSES);
    return html("section", { class: "clause" }, html("h3", null, rfcName(rfc), " ", tallyMarks(counts, STATUSES)), bar(counts, STATUSES, 6),
        table(`Requirements of ${rfcName(rfc)}`, ["Id", "Level", "Status", "Tests", "Requirement"], requirements.map(statusRow), { class: "statuses" }));
}

function clause(text, ...content) {
    return html("section", { class: "clause" }, html("h2", null, text), ...content);
}

export function statementView(report) {
    const findings = gatherFindings(report.tests);
    const blank = (label) => [html("dt", null, label), html("dd", { class: "blank" }, "\u00a0")];
    return html("article", { class: "statement" },
        title("Statement of conformance", html("button", { type: "button", class: "print", onclick: () => window.print() }, "Print")),
        html("p", { class: "fine" }, "A system and protocol conformance test report (SCTR and PCTR of ISO/IEC 9646-5) for the transmission control protocol."),
        clause("1 Identification", html("dl", { class: "facts" }, identification(report), blank("Test laboratory"), blank("Client"), blank("Signed"))),
        clause("2 Conformance status", html("p", { class: "lead" }, verdictOnConformance(report)), html("p", null, runSentence(report)),
            report.partial ? html("p", { class: "partial" }, html("strong", null, "Partial: "), report.partial, ".") : null),
        clause("3 Implementation conformance statement (PICS)",
            html("p", { class: "fine" }, "Of the options of TCP, what the implementation was seen to use, and what it was stated to lack."),
            table("PICS", ["Feature", "Supported", "Source"], picsRows(report))),
        clause("4 Extra information for testing (PIXIT)", pixitTable(report)),
        clause("5 Verdicts", table("Verdicts", ["Verdict", "Tests", "Meaning"], verdictRows(report))),
        clause("6 Observations", findings.length
            ? html("ol", { class: "observations" }, findings.slice(0, 100).map(({ finding, first, tests, known }) => html("li", null,
                finding.requirement ? [requirementLink(finding.requirement), ": "] : null,
                longText(known && first.known_note ? first.known_note : finding.message || first.reason), ` (${count(tests, "test")}${known ? ", known" : ""})`)))
            : html("p", null, "None.")),
        clause("7 Requirements", [...groupBy(report.requirements, (r) => r.rfc)].map(rfcSection)),
        clause("8 Test campaign", table("Test campaign", ["Scenario", "Purpose", "Tests", "Verdicts", "Observation"],
            [...groupBy(report.tests, (test) => test.file || test.title)].map(campaignRow), { class: "campaign" })));
}
