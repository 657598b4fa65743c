// Addresses within the page: "#tests?verdict=fail&q=syn", "#test/rfc9293/3.5/…", "#requirement/RFC9293:MUST-10".

function encode(text) {
    return encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%3A", ":");
}

function decode(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return text; // a hand-written address with a stray percent sign
    }
}

// { view, what, filters }: what is the rest of the path, filters a Map.
export function parseAddress(hash) {
    const [path, query = ""] = hash.replace(/^#/, "").split("?", 2);
    const slash = path.indexOf("/");
    return {
        view: slash < 0 ? path : path.slice(0, slash),
        what: slash < 0 ? "" : decode(path.slice(slash + 1)),
        filters: new Map(new URLSearchParams(query)),
    };
}

export function address(view, what = "", filters = {}) {
    const set = Object.entries(filters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
    const query = new URLSearchParams(set).toString();
    return `#${view}${what ? `/${encode(what)}` : ""}${query ? `?${query}` : ""}`;
}

// What drawings link to: link("test", id), link("requirement", id), link("tests", { transition, cell, … }).
export function link(what, value) {
    return typeof value === "string" ? address(what, value) : address(what, "", value);
}
