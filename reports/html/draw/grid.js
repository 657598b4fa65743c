// The state×event matrix as a heat map: a row a way into a state, a column a kind of event, in each cell what came of its cases
// (docs/matrix.md; rows and columns are those of reports/grid.c). A table, so that it reads as one.
import { html, svg } from "../dom.js";
import { countText, visibleText } from "./scale.js";

const GRID_COLUMNS = ["no ACK", "SYN", "SYN,ACK", "RST", "ACK", "text", "FIN"];
const GRID_STATES = ["closed", "listen", "syn-sent", "syn-received", "established", "fin-wait-1", "fin-wait-2", "close-wait", "closing", "last-ack", "time-wait"];
// The gravest first: what a cell is called for.
const GRID_OUTCOMES = [["fail", "✗", "failed"], ["error", "E", "in error"], ["known", "k", "failed as known"], ["inconclusive", "?", "inconclusive"],
    ["not_applicable", "–", "not applicable"], ["pass", "", "passed"]];

function gridColumn(flags, octets) {
    const has = (word) => flags.includes(word);
    if (has("rst") || has("all")) return "RST";
    if (has("syn")) return has("ack") ? "SYN,ACK" : "SYN";
    if (!has("ack")) return "no ACK";
    return has("fin") ? "FIN" : octets === "0" ? "ACK" : "text";
}

// "established/active:RST" for a case of the matrix, null for any other test.
export function cellOf(id) {
    const parts = String(id).split("/");
    if (parts[0] !== "matrix" || parts.length !== 8 || parts.includes("")) return null;
    return `${parts[1]}/${parts[2]}:${gridColumn(parts[3], parts[6])}`;
}

function gridRank(row) {
    const place = GRID_STATES.indexOf(row.slice(0, row.indexOf("/")));
    return place < 0 ? GRID_STATES.length : place;
}

// { rows: ["closed/refused" …], cells: Map("row:column" → { pass, fail … }) }
export function gridCells(tests) {
    const cells = new Map(), rows = new Set();
    for (const test of tests) {
        const cell = cellOf(test.id);
        if (!cell) continue;
        const counts = cells.get(cell) ?? {}, outcome = test.outcome ?? test.verdict;
        counts[outcome] = (counts[outcome] ?? 0) + 1;
        cells.set(cell, counts);
        rows.add(cell.slice(0, cell.lastIndexOf(":")));
    }
    const ordered = [...rows].sort((a, b) => gridRank(a) - gridRank(b) || (a < b ? -1 : a > b ? 1 : 0));
    return { rows: ordered, columns: GRID_COLUMNS.filter((column) => ordered.some((row) => cells.has(`${row}:${column}`))), cells };
}

function sumOf(counts) {
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

// "28", "2✗/26", "3–": as the console's grid, the worst is shown.
export function cellText(counts) {
    const total = sumOf(counts);
    if (counts.not_applicable === total) return `${total}–`;
    const worst = GRID_OUTCOMES.slice(0, 4).find(([outcome]) => counts[outcome]);
    return worst ? `${counts[worst[0]]}${worst[1]}/${total}` : String(total);
}

function cellSpoken(row, column, counts) {
    const said = GRID_OUTCOMES.filter(([outcome]) => counts[outcome]).map(([outcome, , words]) => `${countText(counts[outcome])} ${words}`);
    return `${visibleText(row)}, ${column}: ${said.join(", ")}`;
}

// Shares of the outcomes side by side, each with its own height: readable without colour.
function cellBar(counts) {
    const total = sumOf(counts), high = { fail: 8, error: 8, known: 6, inconclusive: 5, not_applicable: 2, pass: 3 };
    let x = 0;
    const parts = GRID_OUTCOMES.filter(([outcome]) => counts[outcome]).map(([outcome]) => {
        const wide = Math.max(3, (counts[outcome] / total) * 64), part = svg("rect", { class: `d-fill-${outcome}`, x, y: 8 - high[outcome], width: wide, height: high[outcome] });
        x += wide;
        return part;
    });
    return svg("svg", { class: "d-cell-bar", width: 64, height: 8, viewBox: `0 0 ${Math.max(64, x)} 8`, preserveAspectRatio: "none", "aria-hidden": "true" }, parts);
}

function drawCell(grid, row, column, link) {
    const counts = grid.cells.get(`${row}:${column}`);
    if (!counts) return html("td", { class: "d-cell-none" }, "·");
    const worst = GRID_OUTCOMES.find(([outcome]) => counts[outcome])?.[0] ?? "pass", spoken = cellSpoken(row, column, counts);
    const inside = [html("span", { class: "d-cell-text" }, cellText(counts)), cellBar(counts)];
    return html("td", { class: `d-cell d-cell-${worst}` }, link ? html("a", { href: link("tests", { cell: `${row}:${column}` }), title: spoken }, inside) : inside);
}

// tests: of a run; those that are no cases of the matrix are left alone. null when there are none.
export function drawGrid(tests, { link } = {}) {
    const grid = gridCells(tests);
    if (!grid.rows.length) return null;
    let before = "";
    const rows = grid.rows.map((row) => {
        const state = row.slice(0, row.indexOf("/")), begins = state !== before;
        before = state;
        return html("tr", { class: begins ? "d-state-begins" : null }, html("th", { scope: "row" }, html("span", { class: begins ? "d-row-state" : "d-row-state d-again" }, visibleText(state)), ` ${visibleText(row.slice(state.length + 1))}`),
            grid.columns.map((column) => drawCell(grid, row, column, link)));
    });
    return html("table", { class: "d-grid" },
        html("caption", null, "Cases of each cell: 24, all passed · 2✗/24, two of 24 failed · k failed as known · E error of the tester · ? inconclusive · – not applicable"),
        html("thead", null, html("tr", null, html("th", { scope: "col" }, "state, and the way into it"), grid.columns.map((column) => html("th", { scope: "col" }, column)))), html("tbody", null, rows));
}
