// Loads the drawings as the page does: import lines and the word `export` taken away, all of them one script.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const ORDER = ["../dom.js", "draw/scale.js", "draw/segment.js", "draw/ladder.js", "draw/states.js", "draw/grid.js", "draw/timing.js", "draw/charts.js"];
const NAMES = /^export (?:function|const) (\w+)/gmu;

export function sources() {
    return ORDER.map((name) => readFileSync(new URL(name.startsWith("..") ? `../${name}` : `../${name.slice(5)}`, import.meta.url), "utf8"));
}

export function asScript() {
    const texts = sources(), names = texts.flatMap((text) => [...text.matchAll(NAMES)].map((found) => found[1]));
    const body = texts.map((text) => text.replace(/^import .*$/gmu, "").replace(/^export /gmu, "")).join("\n");
    return `"use strict";\n${body}\nglobalThis.drawings = { ${names.join(", ")} };\n`;
}

export function load(globals = {}) {
    const context = vm.createContext({ console, ...globals });
    vm.runInContext(asScript(), context);
    return context.drawings;
}
