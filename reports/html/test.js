// One test: what it is about, what came of it and why, its ladder, and the scenario that was played.

import { html } from "./dom.js";
import { address, link } from "./route.js";
import { sourceOf, traceOf } from "./data.js";
import { definition, longText, outcomeChip, requirementLink, title } from "./parts.js";
import { count, duration, number, sectionName, shellWord, VERDICT_MEANINGS } from "./words.js";
import { drawLadder, ladderTable } from "./draw/ladder.js";

function reasonOf(test) {
    if (test.verdict === "pass") return test.known ? "Passes, though the target's ledger lists it as failing." : VERDICT_MEANINGS.pass;
    return test.reason || VERDICT_MEANINGS[test.verdict];
}

// The front matter of a scenario: name → text ("//: purpose …"), lines of one name joined.
export function frontMatter(source) {
    const values = new Map();
    for (const line of source.split("\n")) {
        const match = /^\/\/:\s+(\S+)\s+(.*)$/.exec(line);
        if (match) values.set(match[1], values.has(match[1]) ? `${values.get(match[1])} ${match[2]}` : match[2]);
    }
    return values;
}

function coversSection(report, test) {
    if (!test.covers.length) return null;
    const items = test.covers.map((id) => {
        const requirement = report.requirementById.get(id);
        return html("li", null, requirementLink(id), requirement?.level ? ` ${requirement.level} ` : " ",
            requirement?.text ? html("span", { class: "quoted" }, longText(requirement.text)) : null);
    });
    return html("section", null, html("h2", null, "What it tests"), html("ul", { class: "plain covers" }, items.slice(0, 4)),
        items.length > 4 ? html("details", null, html("summary", null, count(items.length - 4, "more requirement")), html("ul", { class: "plain covers" }, items.slice(4))) : null);
}

function findingRow(report, finding) {
    const rule = report.rules.find((candidate) => candidate.name === finding.rule);
    return html("div", { class: `evidence tone-${finding.level.startsWith("SHOULD") ? "deviation" : "fail"}` },
        html("p", { class: "says" }, longText(finding.message || finding.rule)),
        html("dl", { class: "facts" },
            finding.requirement ? definition("Requirement", requirementLink(finding.requirement), " ", finding.level) : null,
            finding.expected ? definition("Expected", html("code", null, longText(finding.expected))) : null,
            finding.observed ? definition("Observed", html("code", null, longText(finding.observed))) : null,
            definition("When", duration(finding.at_ns), finding.segment ? `, segment ${number(finding.segment)}` : ""),
            rule ? definition("Rule", html("code", null, finding.rule), `: when ${rule.condition}, ${rule.demand}.`) : definition("Rule", html("code", null, longText(finding.rule)))));
}

function findingsOf(report, test) {
    if (!test.findings.length) return null;
    return html("section", null, html("h2", null, test.findings.length > 1 ? `${number(test.findings.length)} findings` : "Finding"),
        test.findings.slice(0, 50).map((finding) => findingRow(report, finding)),
        test.findings.length > 50 ? html("p", null, `And ${number(test.findings.length - 50)} more, in results.json.`) : null);
}

// ---- the ladder

function radios(label, name, options, value, onchange) {
    return html("fieldset", { class: "radios" }, html("legend", null, label), options.map(([key, text]) =>
        html("label", null, html("input", { type: "radio", name, value: key, checked: key === value, onchange: () => onchange(key) }), text)));
}

function ladderSection(report, test, trace) {
    if (!trace.length)
        return html("section", null, html("h2", null, "What happened"),
            html("p", null, "No packets were kept of this test. To see them: ", html("code", null, commandOf(report, test))));
    const shown = { scale: "even", numbers: "relative" };
    const frame = html("div", { class: "scroll ladder", tabindex: 0, role: "region", "aria-label": "Ladder diagram" });
    const words = html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The ladder in words" });
    const leading = test.findings[0];
    const options = () => ({ ...shown, wide: Math.max(320, (frame.clientWidth || 960) - 16), permitted: leading?.expected ?? "",
        requirement: report.requirementById.get(leading?.requirement)?.text ?? "", link });
    const draw = () => {
        frame.replaceChildren(drawLadder(test, trace, options()));
        words.replaceChildren(ladderTable(test, trace, options()));
    };
    const set = (name) => (value) => {
        shown[name] = value;
        draw();
    };
    requestAnimationFrame(draw); // when it has its width
    return html("section", null, html("h2", null, "What happened"),
        html("div", { class: "controls" },
            radios("Time", "scale", [["even", "even steps"], ["time", "to scale"]], shown.scale, set("scale")),
            radios("Numbers", "numbers", [["relative", "relative"], ["absolute", "as on the wire"]], shown.numbers, set("numbers"))),
        frame, html("details", { class: "events" }, html("summary", null, `The same in words: ${count(trace.length, "event")}`), words));
}

// ---- the scenario

function sourceSection(test, source) {
    if (source === null) return html("section", null, html("h2", null, "Scenario"), html("p", null, html("code", null, longText(test.file || "unknown")), ": its text is not in this report."));
    const lines = source.replace(/\n$/, "").split("\n");
    return html("section", null, html("h2", null, "Scenario"),
        html("p", { class: "fine" }, html("code", null, test.file), test.line ? `, decided in line ${number(test.line)}` : ""),
        html("div", { class: "scroll source", tabindex: 0, role: "region", "aria-label": "Scenario" },
            html("pre", null, lines.map((line, i) => html("span", { class: i + 1 === test.line ? "line decided" : "line" },
                html("span", { class: "lineno", "aria-hidden": "true" }, String(i + 1).padStart(String(lines.length).length, "\u00a0")), line.replaceAll("\t", "    ") || "\u00a0")))));
}

// ---- all of it

function captureLink(test) {
    // Beside this file, in the results' directory: each part of the path is encoded, so that it is a path and nothing else.
    const path = test.pcap.split("/").filter((part) => part && part !== "." && part !== "..").map(encodeURIComponent).join("/");
    return path ? html("a", { href: `./${path}` }, longText(test.pcap)) : null;
}

// How to see it happen once more; what was found by fuzzing is a file beside the report.
function commandOf(report, test) {
    const what = test.id.startsWith("fuzz/") ? `replay ${shellWord(test.file)}` : `run ${shellWord(test.id)} --verbose`;
    return `tcpassay ${what} --target ${shellWord(report.run.target.name)}`;
}

function factsOf(report, test) {
    const settings = Object.entries(test.pixit).map(([name, value]) => `${name}=${value}`).join(", ");
    return html("dl", { class: "facts" },
        test.level ? definition("Level", test.level) : null,
        definition("Took", duration(test.duration_ns), test.reruns ? `, run again ${count(test.reruns, "time")}: the tester's timing was disturbed` : ""),
        settings ? definition("Settings", html("code", null, longText(settings))) : null,
        test.pcap ? definition("Packets", captureLink(test), html("span", { class: "fine" }, " in the results' directory")) : null,
        definition("Play it again", html("code", null, commandOf(report, test))));
}

function neighbours(report, test) {
    const before = report.tests[test.n - 1], after = report.tests[test.n + 1];
    return html("nav", { class: "neighbours", "aria-label": "Neighbouring tests" },
        before ? html("a", { href: address("test", before.id), rel: "prev" }, "← previous") : html("span"),
        after ? html("a", { href: address("test", after.id), rel: "next" }, "next →") : html("span"));
}

export async function testView(report, id) {
    const test = report.testById.get(id);
    if (!test)
        return html("article", null, title("No such test"), html("p", null, "This report has no test ", html("code", null, longText(id)), "."),
            html("p", null, html("a", { href: address("tests") }, "All tests")));
    const [trace, source] = await Promise.all([traceOf(report, test), sourceOf(report, test)]);
    const purpose = source ? frontMatter(source).get("purpose") : "";
    return html("article", null,
        html("p", { class: "path" }, html("a", { href: address("tests") }, "Tests"), " › ",
            html("a", { href: address("tests", "", { section: test.section }) }, sectionName(test.section))),
        title(test.title || test.id, outcomeChip(test)),
        html("p", { class: "id fine" }, test.id),
        purpose ? html("p", { class: "purpose" }, purpose) : null,
        html("p", { class: `reason tone-${test.outcome === "not_applicable" ? "na" : test.outcome}` }, longText(reasonOf(test))),
        test.known && test.known_note && test.verdict === "fail" ? html("p", null, html("strong", null, "In the target's ledger: "), longText(test.known_note)) : null,
        findingsOf(report, test), ladderSection(report, test, trace), coversSection(report, test), sourceSection(test, source),
        html("section", null, html("h2", null, "Facts"), factsOf(report, test)), neighbours(report, test));
}
