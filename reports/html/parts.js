// Small pieces that several views are made of.

import { html, svg } from "./dom.js";
import { address } from "./route.js";
import { OUTCOMES, STATUSES, count, number } from "./words.js";

// A verdict or a status: mark, word and colour.
export function chip({ mark, word, tone }, text = word) {
    return html("span", { class: `chip tone-${tone}` }, html("span", { class: "mark", "aria-hidden": "true" }, mark), text);
}

export function outcomeChip(test) {
    return chip(OUTCOMES[test.outcome]);
}

export function statusChip(requirement) {
    return chip(STATUSES[requirement.status]);
}

// Only the mark, for dense lists; the word for those who do not see it.
export function outcomeMark(test) {
    const { mark, word, tone } = OUTCOMES[test.outcome];
    return html("span", { class: `dot tone-${tone}`, title: word }, html("span", { "aria-hidden": "true" }, mark),
        html("span", { class: "unseen" }, word));
}

// How many of each, worst first: Map of key → number.
export function tally(items, keyOf, kinds) {
    const counts = new Map(Object.keys(kinds).map((kind) => [kind, 0]));
    for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
    return counts;
}

// "✗ 3 ≈ 2 ✓ 40", leaving out what there is none of.
export function tallyMarks(counts, kinds) {
    const marks = html("span", { class: "tally" });
    for (const [kind, value] of counts) {
        if (!value) continue;
        const { mark, word, tone } = kinds[kind];
        marks.append(html("span", { class: `dot tone-${tone}`, title: `${number(value)} ${word}` },
            html("span", { "aria-hidden": "true" }, `${mark} `), number(value), html("span", { class: "unseen" }, ` ${word}`)));
    }
    return marks;
}

// One bar, its lengths in proportion; what they are stands beside it in numbers.
export function bar(counts, kinds, height = 14) {
    const total = [...counts.values()].reduce((sum, value) => sum + value, 0);
    const picture = svg("svg", { class: "bar", width: "100%", height, "aria-hidden": "true", focusable: "false" });
    let x = 0;
    for (const [kind, value] of counts) {
        if (!value) continue;
        const share = (100 * value) / total;
        picture.append(svg("rect", { x: `${x}%`, y: 0, width: `${share}%`, height, class: `area-${kinds[kind].tone}` }));
        if (x > 0) picture.append(svg("rect", { x: `${x}%`, y: 0, width: 2, height, class: "area-gap" }));
        x += share;
    }
    return picture;
}

export function definition(term, ...values) {
    return [html("dt", null, term), html("dd", null, ...values)];
}

export function testLink(test, text = test.id) {
    return html("a", { href: address("test", test.id), class: "id" }, text);
}

export function requirementLink(id) {
    return html("a", { href: address("requirement", id), class: "id" }, id);
}

// A table in a frame of its own that scrolls where there is no room; head: list of texts.
export function table(label, head, rows, attributes = {}) {
    return html("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
        html("table", attributes, html("thead", null, html("tr", null, head.map((text) => html("th", { scope: "col" }, text)))),
            html("tbody", null, rows)));
}

export function row(...cells) {
    return html("tr", null, cells.map((cell, i) => html(i ? "td" : "th", i ? null : { scope: "row" }, cell)));
}

// Very long text is cut until somebody wants it: a line of a megabyte is nobody's reading.
const TEXT_SHOWN = 2000;
export function longText(text) {
    if (text.length <= TEXT_SHOWN) return text;
    const more = html("button", { type: "button", class: "quiet", onclick: () => more.replaceWith(text.slice(TEXT_SHOWN)) },
        `… show ${count(text.length - TEXT_SHOWN, "more character")}`);
    return [text.slice(0, TEXT_SHOWN), more];
}

// A heading that can be gone to.
export function title(text, ...beside) {
    return html("div", { class: "title" }, html("h1", { tabindex: -1 }, text), ...beside);
}

// <select> with a label: options are [value, text].
export function choose(label, name, options, value, onchange) {
    const select = html("select", { name, onchange: () => onchange(select.value) },
        options.map(([key, text]) => html("option", { value: key, selected: key === value }, text)));
    return html("label", { class: "field" }, html("span", null, label), select);
}

export function searchField(label, value, oninput) {
    const input = html("input", { type: "search", name: "q", value, autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/",
        oninput: () => oninput(input.value) });
    return html("label", { class: "field grow" }, html("span", null, label), input);
}
