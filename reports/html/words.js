// Words, marks and numbers: a verdict or a status is always said in words, with a mark of its own and a colour.

// Of a test. "known": a failure that the target's ledger lists, with the reason.
export const OUTCOMES = {
    fail: { mark: "✗", word: "failed", tone: "fail" },
    error: { mark: "!", word: "error", tone: "error" },
    known: { mark: "≈", word: "failed as known", tone: "known" },
    inconclusive: { mark: "?", word: "inconclusive", tone: "inconclusive" },
    pass: { mark: "✓", word: "passed", tone: "pass" },
    not_applicable: { mark: "–", word: "not applicable", tone: "na" },
};

// Of a requirement.
export const STATUSES = {
    violated: { mark: "✗", word: "violated", tone: "fail" },
    deviated: { mark: "△", word: "deviated", tone: "deviation" },
    satisfied: { mark: "✓", word: "satisfied", tone: "pass" },
    untested: { mark: "○", word: "untested", tone: "na" },
    untestable: { mark: "⊘", word: "untestable", tone: "untestable" },
};

export const VERDICT_MEANINGS = {
    pass: "The purpose of the test was reached.",
    fail: "A MUST or MUST NOT was seen violated (in a strict run, a SHOULD too).",
    inconclusive: "The purpose could not be decided: the IUT never reached the state.",
    error: "The tester failed. It says nothing about the IUT.",
    not_applicable: "The IUT lacks the optional feature, or the target cannot do what the test needs.",
};

export function number(value) {
    return value.toLocaleString("en");
}

// "1 test", "2 tests".
export function count(value, singular, plural = `${singular}s`) {
    return `${number(value)} ${value === 1 ? singular : plural}`;
}

const SCALES = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];

export function duration(ns) {
    const [unit, name] = SCALES.find(([size]) => Math.abs(ns) >= size) ?? [1, "ns"];
    if (unit === 1e9 && ns >= 120e9) return `${Math.floor(ns / 60e9)} min ${Math.round((ns % 60e9) / 1e9)} s`;
    return `${Number((ns / unit).toPrecision(3))} ${name}`;
}

// A word of a shell command, whatever is in it: to be copied, so nothing of it may be more than a word.
export function shellWord(text) {
    return /^[A-Za-z0-9_./:=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

// "rfc9293" and "RFC9293" as people write it.
export function rfcName(rfc) {
    const digits = /^rfc([0-9]{1,5})$/i.exec(rfc);
    return digits ? `RFC ${digits[1]}` : rfc;
}

// "rfc9293/3.5" → "RFC 9293 §3.5"; "matrix/established" → "State × event matrix, ESTABLISHED".
export function sectionName(section) {
    const [first, second] = section.split("/");
    if (/^rfc[0-9]{1,5}$/.test(first)) return `${rfcName(first)} §${second}`;
    if (first === "fuzz") return "Found by fuzzing";
    if (first === "matrix") return `State × event matrix, ${second.toUpperCase()}`;
    return section;
}

// The RFC's own page of a section; null where the section is not one number.
export function rfcLink(rfc, section) {
    const digits = /^rfc([0-9]{1,5})$/i.exec(rfc);
    if (!digits) return null;
    const anchor = /^[0-9]+(\.[0-9]+)*$/.test(section) ? `#section-${section}` : "";
    return `https://www.rfc-editor.org/rfc/rfc${digits[1]}${anchor}`;
}
