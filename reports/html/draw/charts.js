// Small figures: shares as bars, verdicts, lines over time, a sparkline. Numbers stand beside each, patterns beside each colour.
import { svg } from "../dom.js";
import { clipText, countText, linearScale, roundTicks, textWide, visibleText } from "./scale.js";

const SHARE_NAMES = {
    satisfied: ["satisfied", "✓"], deviated: ["deviated (SHOULD)", "△"], violated: ["violated", "✗"], untested: ["untested", "·"], untestable: ["untestable", "–"],
    pass: ["pass", "✓"], fail: ["fail", "✗"], known: ["fail, known", "k"], inconclusive: ["inconclusive", "?"], error: ["error of the tester", "E"],
    not_applicable: ["not applicable", "–"], deviations: ["deviations", "△"],
};

// Hatched where colour alone would tell a part from its neighbours.
function shareShapes(kind, x, y, wide, high) {
    const shapes = [svg("rect", { class: `d-share d-fill-${kind}`, x, y, width: wide, height: high })];
    const step = { violated: 5, fail: 5, deviated: 9, known: 9, error: 3 }[kind];
    if (!step) return shapes;
    let path = "";
    for (let at = x + step; at < x + wide; at += step) path += `M${at.toFixed(1)} ${y}v${high}`;
    return [...shapes, svg("path", { class: "d-hatch", d: path })];
}

function shareParts(counts) {
    return Object.keys(SHARE_NAMES).filter((kind) => counts[kind] > 0).map((kind) => ({ kind, count: counts[kind], words: SHARE_NAMES[kind][0], mark: SHARE_NAMES[kind][1] }));
}

function spokenParts(parts) {
    return parts.map((part) => `${countText(part.count)} ${part.words}`).join(", ");
}

function barShapes(parts, total, x, y, wide, high) {
    const shapes = [];
    parts.forEach((part) => {
        const width = (part.count / total) * wide;
        shapes.push(...shareShapes(part.kind, x, y, width, high));
        x += width;
    });
    return shapes;
}

// rows: [{ label, counts: { satisfied: 3, violated: 1, … }, href }], a bar each, all of one length; what they count stands behind them.
export function drawBars(rows, { wide = 800 } = {}) {
    const labelWide = Math.min(wide * 0.3, Math.max(...rows.map((row) => textWide(row.label)), 60) + 10), rowHigh = wide < 560 ? 44 : 26, narrow = wide < 560;
    const barWide = narrow ? wide - 8 : Math.max(80, (wide - labelWide) * 0.5), high = rows.length * rowHigh + 4;
    const drawn = rows.map((row, i) => {
        const parts = shareParts(row.counts), total = parts.reduce((sum, part) => sum + part.count, 0) || 1, y = i * rowHigh + 2, spoken = `${visibleText(row.label)}: ${spokenParts(parts)}`;
        const words = parts.map((part) => `${part.mark} ${countText(part.count)}`).join("  "), textX = narrow ? labelWide + 4 : labelWide + barWide + 12;
        const inside = [svg("title", null, spoken), svg("text", { class: "d-bar-label", x: 0, y: y + 14 }, clipText(visibleText(row.label), Math.floor(labelWide / 7.3))),
            barShapes(parts, total, narrow ? 0 : labelWide, narrow ? y + 20 : y + 2, barWide, 16), svg("text", { class: "d-bar-counts", x: textX, y: y + 14 }, words)];
        return row.href ? svg("a", { href: row.href }, inside) : svg("g", { role: "img", "aria-label": spoken }, inside);
    });
    return svg("svg", { class: "d-plot d-bars", role: "group", "aria-label": "bars", width: wide, height: high, viewBox: `0 0 ${wide} ${high}` }, drawn);
}

// counts: { pass, fail (known ones among them), known, inconclusive, error, not_applicable }: one bar, and what it counts.
export function drawVerdicts(counts, { wide = 800 } = {}) {
    const parts = shareParts({ ...counts, fail: (counts.fail ?? 0) - (counts.known ?? 0), deviations: 0 }), total = parts.reduce((sum, part) => sum + part.count, 0) || 1;
    let x = 0, y = 46;
    const legend = parts.map((part) => {
        const text = `${part.mark} ${countText(part.count)} ${part.words}`, room = textWide(text) + 34;
        if (x > 0 && x + room > wide) {
            x = 0;
            y += 22;
        }
        const shapes = [shareShapes(part.kind, x, y - 11, 14, 14), svg("text", { x: x + 20, y }, text)];
        x += room;
        return shapes;
    });
    const spoken = `Verdicts: ${spokenParts(parts)}`;
    return svg("svg", { class: "d-plot d-verdicts", role: "img", "aria-label": spoken, width: wide, height: y + 10, viewBox: `0 0 ${wide} ${y + 10}` }, svg("title", null, spoken), barShapes(parts, total, 0, 2, wide, 24), legend);
}

// lines: [{ name, points: [[x, y] …] }]; each of its own dashes, its name at its end. x and y name the axes.
export function drawLine({ title, lines, x: xName, y: yName }, { wide = 800, high = 260 } = {}) {
    const left = 64, right = Math.min(160, Math.max(...lines.map((line) => textWide(visibleText(line.name))), 20) + 14), top = 24, bottom = 40;
    const all = lines.flatMap((line) => line.points), xMost = Math.max(...all.map((p) => p[0]), 0), yMost = Math.max(...all.map((p) => p[1]), 1);
    const yTicks = roundTicks(yMost), x = linearScale(0, xMost || 1, left, wide - right), y = linearScale(0, yTicks[yTicks.length - 1], high - bottom, top);
    const spoken = `${visibleText(title)}: ${lines.map((line) => `${visibleText(line.name)} ${countText(line.points.at(-1)?.[1] ?? 0)} at the end`).join(", ")}`;
    const ends = lines.map((line, i) => ({ i, y: y(line.points.at(-1)?.[1] ?? 0) })).sort((a, b) => a.y - b.y);
    ends.forEach((end, i) => { if (i > 0) end.y = Math.max(end.y, ends[i - 1].y + 15); });
    return svg("svg", { class: "d-plot d-lines", role: "img", "aria-label": spoken, width: wide, height: high, viewBox: `0 0 ${wide} ${high}` }, svg("title", null, spoken),
        yTicks.map((tick) => [svg("line", { class: "d-gridline", x1: left, y1: y(tick), x2: wide - right, y2: y(tick) }), svg("text", { class: "d-axis-text", x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, countText(tick))]),
        roundTicks(xMost, wide < 560 ? 3 : 6).filter((tick) => tick <= xMost).map((tick) => svg("text", { class: "d-axis-text", x: x(tick), y: high - bottom + 18, "text-anchor": "middle" }, countText(tick))),
        lines.map((line, i) => svg("path", { class: `d-line d-line-${i % 4}`, d: line.points.map((p, k) => `${k ? "L" : "M"}${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}`).join("") })),
        ends.map((end) => svg("text", { x: wide - right + 6, y: end.y + 4 }, clipText(visibleText(lines[end.i].name), Math.floor((right - 6) / 7.3)))),
        svg("text", { class: "d-axis-text", x: wide - right, y: high - 6, "text-anchor": "end" }, visibleText(xName)), svg("text", { class: "d-axis-text", x: 4, y: 12 }, visibleText(yName)));
}

// The last few numbers of something, as small as a word; its end is marked.
export function drawSparkline(numbers, { label = "", wide = 100, high = 22 } = {}) {
    const most = Math.max(...numbers, 1), x = linearScale(0, Math.max(1, numbers.length - 1), 4, wide - 6), y = linearScale(0, most, high - 4, 4), spoken = `${visibleText(label)}: ${numbers.map(countText).join(", ")}`;
    return svg("svg", { class: "d-plot d-spark", role: "img", "aria-label": spoken, width: wide, height: high, viewBox: `0 0 ${wide} ${high}` }, svg("title", null, spoken),
        svg("path", { class: "d-line d-line-0", d: numbers.map((n, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(n).toFixed(1)}`).join("") }),
        numbers.length ? svg("circle", { class: "d-spark-end", cx: x(numbers.length - 1), cy: y(numbers[numbers.length - 1]), r: 3 }) : null);
}
