// What the file holds, as values by the names of results.json (docs/results.md). The large parts are opened when first asked for.

const KINDS = ["sent", "received", "call", "return", "state", "note", "dropped"];

const TEST_COLUMNS = ["id", "title", "verdict", "reason", "started_ns", "duration_ns", "covers", "level", "findings", "known", "known_note", "reruns", "file",
    "line", "pcap", "pixit", "transitions", "part"];
const FINDING_COLUMNS = ["rule", "requirement", "level", "message", "expected", "observed", "at_ns", "segment"];
const EVENT_COLUMNS = ["at_ns", "kind", "index", "step", "segment", "text"];
const REQUIREMENT_COLUMNS = ["id", "level", "section", "text", "observable", "status"];
const PROGRESS_COLUMNS = ["at_ns", "plays", "tuples", "rules", "inputs", "findings"];
const RULE_COLUMNS = ["name", "section", "requirements", "level", "condition", "demand", "violation", "tested", "violated"];

function named(columns, row) {
    const value = {};
    for (let i = 0; i < columns.length; i++) value[columns[i]] = row[i];
    return value;
}

async function unpack(id) {
    const element = document.getElementById(`data-${id}`);
    if (!element) throw new Error(`the part "${id}" is missing: this file is not complete`);
    const octets = Uint8Array.from(atob(element.textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
}

function testOf(row, n) {
    const test = named(TEST_COLUMNS, row);
    test.n = n;
    test.known = Boolean(test.known);
    test.findings = test.findings.map((finding) => named(FINDING_COLUMNS, finding));
    test.pixit = Object.fromEntries(test.pixit);
    test.outcome = test.verdict === "fail" && test.known ? "known" : test.verdict;
    test.section = sectionOf(test.id);
    return test;
}

// "rfc9293/3.5", "matrix/established", or "other": the id up to its second slash; "fuzz" for what a fuzzer has found.
export function sectionOf(id) {
    if (id.startsWith("fuzz/")) return "fuzz";
    const parts = id.split("/", 3);
    return parts.length === 3 ? `${parts[0]}/${parts[1]}` : "other";
}

export function rfcOf(requirement) {
    const colon = requirement.indexOf(":");
    return colon > 0 ? requirement.slice(0, colon) : "other";
}

function eventOf(row) {
    const event = named(EVENT_COLUMNS, row);
    event.kind = KINDS[event.kind] ?? "note";
    return event;
}

// The tests behind each requirement: those that cover it, or have found something about it.
function addEvidence(report) {
    for (const test of report.tests) {
        const about = new Set(test.covers);
        for (const finding of test.findings) if (finding.requirement) about.add(finding.requirement);
        for (const id of about) report.requirementById.get(id)?.tests.push(test);
    }
}

function addRules(report) {
    for (const rule of report.rules)
        for (const id of rule.requirements.split(" ")) report.requirementById.get(id)?.rules.push(rule);
}

// Why what is here is not all there should be; null when it is.
function partialReason(report) {
    const count = report.tests.length.toLocaleString("en");
    const planned = report.run.planned ? ` of ${report.run.planned.toLocaleString("en")}` : "";
    if (report.torn) return `the run was cut short while it wrote a result; ${count}${planned} tests had finished`;
    if (!report.finished) return `the run was cut short; ${count}${planned} tests had finished`;
    if (report.run.planned > report.tests.length) return `${count}${planned} tests are in these results`;
    return null;
}

// A file whose parts contradict each other is not believed.
function checkNumbers({ test_count, summary }, tests) {
    if (tests.length !== test_count) throw new Error("the number of tests is not the one told: this file is not complete");
    for (const verdict of ["pass", "fail", "inconclusive", "error", "not_applicable"])
        if (tests.filter((test) => test.verdict === verdict).length !== summary[verdict]) throw new Error(`its tests are not those that it counts as ${verdict}: this file is damaged`);
}

export async function loadReport() {
    const head = JSON.parse(document.getElementById("data-head").textContent);
    const report = { ...head, parts: new Map() };
    report.requirements = head.requirements.map((row) => {
        const requirement = named(REQUIREMENT_COLUMNS, row);
        return Object.assign(requirement, { tests: [], rules: [], rfc: rfcOf(requirement.id) });
    });
    report.rules = head.rules.map((row) => named(RULE_COLUMNS, row));
    report.progress = head.progress.map((row) => named(PROGRESS_COLUMNS, row));
    report.requirementById = new Map(report.requirements.map((requirement) => [requirement.id, requirement]));
    report.tests = (await unpack("tests")).map(testOf);
    checkNumbers(head, report.tests);
    report.testById = new Map(report.tests.map((test) => [test.id, test]));
    addEvidence(report);
    addRules(report);
    report.partial = partialReason(report);
    return report;
}

function partOf(report, id) {
    if (!report.parts.has(id)) report.parts.set(id, unpack(id));
    return report.parts.get(id);
}

// The events of a test; an empty list when none were kept.
export async function traceOf(report, test) {
    if (test.part < 0) return [];
    const part = await partOf(report, `trace-${test.part}`);
    return (part[test.n] ?? []).map(eventOf);
}

// The scenario's text, or null when the report was made without it.
export async function sourceOf(report, test) {
    const sources = await partOf(report, "sources");
    return Object.hasOwn(sources, test.file) ? sources[test.file] : null;
}
