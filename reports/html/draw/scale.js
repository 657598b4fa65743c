// What drawings share: text that fits its place, numbers and times for people, scales and ticks.

// Drawings set their text in the monospace font at 12 px, so that what it takes is known without asking the browser.
export const CHAR_WIDE = 7.3;
export const LINE_HIGH = 16;

const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

const PLAIN = /^[\u0020-\u007e]*$/u; // what most of it is, and quick to deal with

// Controls, and marks that reorder or hide text, as something that can be seen.
export function visibleText(text) {
    const whole = String(text ?? "");
    if (PLAIN.test(whole)) return whole;
    return whole.toWellFormed().replace(HIDDEN, (mark) => "\\u" + mark.codePointAt(0).toString(16).padStart(4, "0"));
}

function isBroad(code) {
    return code >= 0x1100 && (code <= 0x115f || (code >= 0x2e80 && code <= 0xa4cf) || (code >= 0xac00 && code <= 0xd7a3) ||
        (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) || code >= 0x1f300);
}

// Columns that a text takes: two where a letter is broad.
export function textColumns(text) {
    if (PLAIN.test(text)) return text.length;
    let columns = 0;
    for (const letter of text) columns += isBroad(letter.codePointAt(0)) ? 2 : 1;
    return columns;
}

export function textWide(text) {
    return textColumns(text) * CHAR_WIDE;
}

// Cut to so many columns, with "…" where something is missing.
export function clipText(text, columns) {
    if (text.length <= columns && textColumns(text) <= columns) return text;
    let kept = "", used = 1;
    for (const letter of text) {
        used += isBroad(letter.codePointAt(0)) ? 2 : 1;
        if (used > columns) break;
        kept += letter;
    }
    return kept + "…";
}

// Lines of at most so many columns, broken at blanks and after commas where there are any; of more lines than `most`, the last says that it was cut.
export function wrapText(text, columns, most = 12) {
    const lines = [];
    const width = Math.max(4, columns);
    let rest = text.slice(0, width * (most + 1) * 2);
    while (rest && lines.length <= most) {
        const whole = takeColumns(rest, width);
        if (whole.length === rest.length) {
            lines.push(rest);
            rest = "";
            break;
        }
        const at = Math.max(whole.lastIndexOf(" "), whole.lastIndexOf(",") + 1);
        const end = rest[whole.length] === " " ? whole.length : at > whole.length / 3 ? at : whole.length;
        lines.push(rest.slice(0, end).trimEnd());
        rest = rest.slice(end).trimStart();
    }
    if (lines.length <= most && !rest) return lines;
    lines.length = Math.min(lines.length, most);
    lines[lines.length - 1] = clipText(lines[lines.length - 1] + " ………", width);
    return lines;
}

function takeColumns(text, columns) {
    const begin = text.slice(0, columns);
    if (PLAIN.test(begin)) return begin;
    let used = 0, end = 0;
    for (const letter of text) {
        used += isBroad(letter.codePointAt(0)) ? 2 : 1;
        if (used > columns) break;
        end += letter.length;
    }
    return text.slice(0, Math.max(end, 1));
}

// "1.5 s", "12 ms", "240 s", "3 µs": three figures are enough.
export function secondsText(ns) {
    const size = Math.abs(ns);
    const [unit, name] = size >= 1e9 ? [1e9, "s"] : size >= 1e6 ? [1e6, "ms"] : size >= 1e3 ? [1e3, "µs"] : [1, "ns"];
    return `${Number((ns / unit).toPrecision(3))} ${name}`;
}

// A moment of a test: always in seconds, to the microsecond where a dozen letters have room for it.
export function momentText(ns) {
    const whole = Math.trunc(ns / 1e9).toString().length;
    return whole > 11 ? (ns / 1e9).toExponential(3) : (ns / 1e9).toFixed(Math.max(0, Math.min(6, 10 - whole)));
}

export function countText(number) {
    return String(Math.round(number)).replace(/\B(?=(\d{3})+(?!\d))/g, " ");
}

// From [low, high] to [from, to], by the logarithm.
export function logScale(low, high, from, to) {
    const a = Math.log10(low), b = Math.log10(high);
    return (value) => from + ((Math.log10(Math.max(value, low)) - a) / (b - a || 1)) * (to - from);
}

export function linearScale(low, high, from, to) {
    return (value) => from + ((value - low) / (high - low || 1)) * (to - from);
}

// Round numbers from 0 to at least `high`, at most `most` of them.
export function roundTicks(high, most = 5) {
    if (!(high > 0)) return [0, 1];
    const raw = high / most, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw);
    const ticks = [];
    for (let i = 0; i * step < high + step; i++) ticks.push(Number((i * step).toPrecision(12)));
    return ticks;
}

// The powers of ten from low to high.
export function decades(low, high) {
    const ticks = [];
    for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power++) ticks.push(10 ** power);
    return ticks;
}
