// As much of a document as the drawings use, so that they can be drawn where there is no browser.
export class Node {
    constructor(name) {
        this.name = name;
        this.attributes = new Map();
        this.children = [];
        this.listeners = new Map();
    }
    setAttribute(name, value) { this.attributes.set(name, String(value)); }
    append(...children) { this.children.push(...children); }
    addEventListener(type, listener) { this.listeners.set(type, listener); }
    remove() { this.removed = true; }
    focus() { this.listeners.get("focus")?.(); }
    get text() { return this.children.map((child) => (child instanceof Text ? child.data : child.text)).join(" "); }
    all(wanted) { return [...(wanted(this) ? [this] : []), ...this.children.flatMap((child) => (child instanceof Text ? [] : child.all(wanted)))]; }
}

class Text extends Node {
    constructor(data) {
        super("#text");
        this.data = data;
    }
}

export const document = {
    createElement: (name) => new Node(name),
    createElementNS: (_space, name) => new Node(name),
    createTextNode: (data) => new Text(data),
};
