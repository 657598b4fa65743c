// Makes elements: the one way in which text of unknown origin reaches the document, and always as text.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

// Controls, and marks that reorder or hide text: shown as what they are, "\\x1b" or "\\u202e", as in the other reports.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

export function visible(text) {
    return String(text).replace(UNSEEN, (c) => {
        const code = c.codePointAt(0);
        return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
    });
}

const SHOWN = new Set(["title", "aria-label", "alt"]);

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (value === null || value === undefined || value === false) continue;
        if (typeof value === "function") element.addEventListener(name.slice(2), value);
        else element.setAttribute(name, value === true ? "" : SHOWN.has(name) ? visible(value) : String(value));
    }
    for (const child of children.flat(Infinity)) {
        if (child === null || child === undefined || child === false) continue;
        element.append(child instanceof Node ? child : document.createTextNode(visible(child)));
    }
    return element;
}

// html("a", { href: "#x", class: "id" }, "text", [more, nodes]): attributes that are null, undefined or false are left out.
export function html(tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
    return fill(document.createElementNS(SVG_NAMESPACE, tag), attributes, children);
}
