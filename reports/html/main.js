// The page itself: its bar, its views, its addresses, its keys. Loaded last.

import { html } from "./dom.js";
import { address, parseAddress } from "./route.js";
import { loadReport } from "./data.js";
import { summaryView } from "./summary.js";
import { requirementsView, requirementView } from "./requirements.js";
import { testsView } from "./tests.js";
import { testView } from "./test.js";
import { statementView } from "./statement.js";
import { fuzzView, gridView, isFuzzed, statesView, timingView } from "./figures.js";

const VIEWS = {
    summary: { name: "Summary", make: (report) => summaryView(report) },
    requirements: { name: "Requirements", make: (report, at, changed) => requirementsView(report, at.filters, changed) },
    requirement: { under: "requirements", make: (report, at) => requirementView(report, at.what) },
    tests: { name: "Tests", make: (report, at, changed) => testsView(report, at.filters, changed) },
    test: { under: "tests", make: (report, at) => testView(report, at.what) },
    states: { name: "States", make: (report) => statesView(report) },
    grid: { name: "Grid", make: (report) => gridView(report) },
    timing: { name: "Timing", make: (report) => timingView(report) },
    fuzzing: { name: "Fuzzing", wanted: isFuzzed, make: (report) => fuzzView(report) },
    statement: { name: "Statement", make: (report) => statementView(report) },
};

// ---- the bar

const THEMES = { "": "Theme: as the system's", light: "Theme: light", dark: "Theme: dark" };

function stored(name) {
    try {
        return localStorage.getItem(name) ?? "";
    } catch {
        return ""; // a browser that keeps nothing for files
    }
}

function store(name, value) {
    try {
        localStorage.setItem(name, value);
    } catch {
        return;
    }
}

function setTheme(button, theme) {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    button.textContent = { "": "◐", light: "☀", dark: "☾" }[theme];
    button.setAttribute("aria-label", THEMES[theme]);
    button.title = THEMES[theme];
    store("tcpassay-theme", theme);
}

function themeButton() {
    const order = Object.keys(THEMES);
    const button = html("button", { type: "button", class: "theme" });
    button.addEventListener("click", () => setTheme(button, order[(order.indexOf(document.documentElement.dataset.theme ?? "") + 1) % order.length]));
    const theme = stored("tcpassay-theme");
    setTheme(button, order.includes(theme) ? theme : "");
    return button;
}

function fillBar(report) {
    const links = Object.entries(VIEWS).filter(([, view]) => view.name && (view.wanted?.(report) ?? true)).map(([key, view]) => html("li", null, html("a", { href: address(key), "data-view": key }, view.name)));
    document.getElementById("top").append(
        html("div", { class: "brand" }, html("a", { href: address("summary") }, "tcpassay"), html("span", { class: "target" }, report.run.target.name)),
        html("nav", { "aria-label": "Sections" }, html("ul", null, links)), themeButton());
}

// ---- views

function say(text) {
    document.getElementById("live").textContent = text;
}

function partialBanner(report) {
    return report.partial ? html("p", { class: "partial banner" }, html("strong", null, "Partial: "), `${report.partial}. Whatever is missing here may have failed.`) : null;
}

function markBar(key) {
    const current = VIEWS[key].under ?? key;
    for (const anchor of document.querySelectorAll("#top nav a")) {
        if (anchor.dataset.view === current) anchor.setAttribute("aria-current", "page");
        else anchor.removeAttribute("aria-current");
        if (anchor.dataset.view === current) anchor.parentElement.scrollIntoView?.({ block: "nearest", inline: "nearest" });
    }
}

// The newest of what was asked for; an older one that is ready later is not shown.
let turn = 0;

async function show(report, first) {
    const mine = ++turn;
    const at = parseAddress(location.hash);
    const key = Object.hasOwn(VIEWS, at.view) ? at.view : "summary";
    const changed = (text) => {
        history.replaceState(null, "", address(key, at.what, Object.fromEntries(at.filters)));
        say(text);
    };
    let view;
    try {
        view = await VIEWS[key].make(report, at, changed);
    } catch (error) {
        console.error(error);
        view = html("article", null, html("h1", { tabindex: -1 }, "This cannot be shown"), html("p", null, String(error.message ?? error)));
    }
    if (mine !== turn) return;
    const main = document.getElementById("main");
    main.replaceChildren(...[partialBanner(report), view].filter(Boolean));
    const heading = main.querySelector("h1");
    document.title = `${heading.textContent.slice(0, 200)} · ${report.run.target.name.slice(0, 60)} · tcpassay`;
    document.documentElement.dataset.view = key;
    markBar(key);
    if (first) return;
    window.scrollTo(0, 0);
    heading.focus({ preventScroll: true });
}

// ---- keys: "/" searches, from anywhere that is no field

function onKey(event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const field = document.querySelector("input[type=search]");
    event.preventDefault();
    if (field) field.focus();
    else location.hash = address("tests");
}

// What the static summary says when there is no more.
function trouble(error) {
    const place = document.getElementById("trouble");
    place.hidden = false;
    place.textContent = `This report cannot be shown in full: ${error.message}. What stands here is its summary only.`;
}

async function start() {
    try {
        if (typeof DecompressionStream !== "function") throw new Error("this browser is too old to unpack it (it has no DecompressionStream)");
        const report = await loadReport();
        fillBar(report);
        document.addEventListener("keydown", onKey);
        window.addEventListener("hashchange", () => show(report, false));
        await show(report, true);
        document.documentElement.dataset.ready = "yes";
    } catch (error) {
        console.error(error);
        trouble(error);
    }
}

start();
