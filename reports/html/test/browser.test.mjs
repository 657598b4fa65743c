// Opens reports in a real browser and uses them as people do. Run by browser.sh, which says where things are in $WORK and $CHROMIUM.
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

const work = process.env.WORK;
const require = createRequire(`${work}/package.json`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const PLAIN = `${work}/pages/plain.html`, LARGE = `${work}/run/report.html`;
const VIEWS = ["summary", "requirements?rfc=RFC5961", "requirement/RFC9293:MUST-40", "tests", "test/rfc9293/3.8-data/ack-within-500ms", "states", "grid", "timing", "fuzzing", "statement"];
const LAPTOP = { width: 1366, height: 768 }, PHONE = { width: 390, height: 844 };
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

let browser;
before(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: ARGUMENTS });
});
after(() => browser?.close());

// A page of its own, in which nothing may go wrong unseen: complaints are what the console, a dialog or a request says.
async function open(t, file, hash, options = {}) {
    const context = await browser.newContext({ viewport: LAPTOP, colorScheme: "light", ...options });
    t.after(() => context.close());
    const page = await context.newPage(), complaints = [];
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
    page.on("request", (request) => /^(file|data|blob):/.test(request.url()) || complaints.push(`request: ${request.url()}`));
    await page.goto(`file://${file}#${hash}`);
    if (options.javaScriptEnabled !== false && !options.broken) await page.waitForSelector("html[data-ready=yes]");
    return { page, complaints };
}

async function go(page, hash) {
    await page.evaluate(async (to) => {
        location.hash = to;
        await new Promise((done) => setTimeout(done));
    }, hash);
    const view = hash.split(/[/?]/)[0];
    await page.waitForFunction((key) => document.documentElement.dataset.view === key, view);
    await page.waitForFunction(() => !document.querySelector(".ladder") || document.querySelector(".ladder svg"));
}

async function heading(page) {
    return page.locator("main h1").innerText();
}

test("every view opens without a word on the console and without a request", async (t) => {
    const { page, complaints } = await open(t, LARGE, "summary");
    for (const view of [...VIEWS.filter((key) => !key.startsWith("test/")), "nothing-of-the-kind", "requirement/NO:1", "test/no/such/test", "tests?verdict=fail&q=%E0%A4%A"]) {
        await page.evaluate((to) => { location.hash = to; }, view);
        await page.waitForFunction(() => document.querySelector("main h1"));
        await page.waitForTimeout(50);
        assert.notEqual(await heading(page), "This cannot be shown", view);
    }
    assert.deepEqual(complaints, []);
});

test("the whole suite and the matrix are less than 10 MB, and say the numbers of results.json", async (t) => {
    assert.ok(statSync(LARGE).size < 10e6, `${statSync(LARGE).size} octets`);
    const began = performance.now();
    const { page } = await open(t, LARGE, "summary");
    t.diagnostic(`${(statSync(LARGE).size / 1e6).toFixed(2)} MB, open in ${((performance.now() - began) / 1000).toFixed(2)} s`);
    const results = readFileSync(`${work}/run/results.json`, "utf8"); // its members stand a line each
    const summary = JSON.parse(/^ "summary": (\{.*\}),$/m.exec(results)[1]);
    const shown = await page.evaluate(() => Object.fromEntries([...document.querySelectorAll(".counts a")].map((a) => [a.querySelector(".word").lastChild.textContent, Number(a.querySelector(".number").textContent.replaceAll(",", ""))])));
    const plain = await open(t, PLAIN, "summary");
    assert.match(await plain.page.locator("main").innerText(), /9223372036854775807/, "all of the seed");
    assert.deepEqual(shown, { failed: summary.fail - summary.known, error: summary.error, "failed as known": summary.known, inconclusive: summary.inconclusive,
        passed: summary.pass, "not applicable": summary.not_applicable, deviations: summary.deviations });
    assert.ok(summary.fail > 0 && summary.pass > 10000, "the run has failures, and the matrix");
    await go(page, "tests");
    assert.match(await page.locator(".found").innerText(), new RegExp(`^${(summary.pass + summary.fail + summary.inconclusive + summary.error + summary.not_applicable).toLocaleString("en")} tests`));
});

test("searching and filtering tests shows what was asked for, and the address keeps it", async (t) => {
    const { page, complaints } = await open(t, LARGE, "tests");
    await page.getByLabel("Search ids").fill("syn cookie ipv6");
    await page.getByLabel("Verdict").selectOption("fail");
    const found = Number(/^[0-9,]+/.exec(await page.locator(".found").innerText())[0].replaceAll(",", ""));
    const expected = readFileSync(`${work}/run/results.json`, "utf8").split("\n").filter((line) => line.startsWith("  {\"id\":") && line.includes("\"verdict\":\"fail\""))
        .map((line) => JSON.parse(line.replace(/,$/, ""))).filter((one) => ["syn", "cookie", "ipv6"].every((word) => `${one.id} ${one.title} ${one.reason}`.toLowerCase().includes(word)));
    assert.ok(found > 0 && found === expected.length, `${found} of ${expected.length}`);
    assert.match(page.url(), /#tests\?q=syn\+cookie\+ipv6&verdict=fail$/);
    await page.reload();
    await page.waitForSelector("html[data-ready=yes]");
    assert.equal(await page.getByLabel("Search ids").inputValue(), "syn cookie ipv6");
    assert.equal(Number(/^[0-9,]+/.exec(await page.locator(".found").innerText())[0].replaceAll(",", "")), found);
    await page.getByLabel("Search ids").fill("there is no such test");
    assert.equal(await page.getByText("No test matches.").count(), 1);
    assert.deepEqual(complaints, []);
});

test("requirements are filtered by RFC, level and status, and each says why it stands so", async (t) => {
    const { page } = await open(t, PLAIN, "requirements");
    await page.getByLabel("RFC").selectOption("RFC9293");
    await page.getByLabel("Status").selectOption("violated");
    const rows = await page.locator("table.requirements tbody tr").allInnerTexts();
    assert.ok(rows.length >= 2 && rows.every((row) => row.includes("RFC9293:") && row.includes("violated")), rows.join("\n"));
    await page.getByLabel("Status").selectOption("untestable");
    assert.match(await page.locator("table.requirements tbody").innerText(), /Untestable from outside: \S/);
    await page.goto(`file://${PLAIN}#requirement/RFC9293:MUST-40`);
    await page.waitForFunction(() => document.querySelector("h1")?.textContent === "RFC9293:MUST-40");
    assert.match(await page.locator("main").innerText(), /violated[\s\S]*ack-within-500ms/);
});

test("a test opens to its purpose, reason, ladder, scenario and packets, and the way back leads to the list as it was", async (t) => {
    const { page, complaints } = await open(t, PLAIN, "tests?verdict=fail");
    await page.getByRole("link", { name: "A delayed ACK leaves within half a second" }).click();
    await page.waitForSelector(".ladder svg");
    const text = await page.locator("main").innerText();
    for (const wanted of ["The IUT may wait, but less than 0.5 s.", "The ACK came too late", "ACK 11 by +0.500 s", "came at +0.612 s", "failed", "RFC9293:MUST-40", "//: title", "run again 1 time", "tcpassay run rfc9293/3.8-data/ack-within-500ms --verbose --target linux"])
        assert.ok(text.includes(wanted), wanted);
    assert.equal(await page.getByRole("link", { name: "pcap/ack-within-500ms.pcap" }).getAttribute("href"), "./pcap/ack-within-500ms.pcap");
    assert.equal(await page.locator(".source .decided").count(), 0, "line 14 is not in this text");
    const even = await page.locator(".ladder svg").getAttribute("height");
    await page.getByLabel("to scale").check();
    assert.notEqual(await page.locator(".ladder svg").getAttribute("height"), even);
    await page.getByLabel("as on the wire").check();
    await page.goBack();
    await page.waitForFunction(() => document.documentElement.dataset.view === "tests");
    assert.match(page.url(), /#tests\?verdict=fail$/);
    assert.equal(await page.getByLabel("Verdict").inputValue(), "fail");
    assert.deepEqual(complaints, []);
});

test("a fuzzing campaign shows how it went on", async (t) => {
    const { page, complaints } = await open(t, PLAIN, "fuzzing");
    assert.match(await page.locator("main").innerText(), /5,000 plays in 5 s: 325 triples/);
    assert.equal(await page.locator(".figure svg").count(), 3);
    assert.deepEqual(complaints, []);
});

test("a cell of the grid and an arrow of the state diagram open the tests behind them", async (t) => {
    const { page } = await open(t, LARGE, "grid");
    await page.locator(".figure a[href*='cell=']").first().click();
    await page.waitForFunction(() => document.documentElement.dataset.view === "tests");
    assert.match(await page.locator(".found").innerText(), /^[1-9][0-9,]* tests? of the cell /);
    await go(page, "states");
    await page.locator(".figure a[href*='transition=']").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.documentElement.dataset.view === "tests");
    assert.match(await page.locator(".found").innerText(), /^[1-9][0-9,]* tests? that went from /);
});

test("dark is the system's choice or the reader's, and is kept", async (t) => {
    const { page } = await open(t, PLAIN, "summary", { colorScheme: "dark" });
    const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor.match(/[0-9]+/g).reduce((sum, value) => sum + Number(value), 0));
    assert.ok(await paper() < 200);
    const button = page.getByRole("button", { name: /^Theme/ });
    await button.click();
    assert.ok(await paper() > 700, "light");
    await page.reload();
    await page.waitForSelector("html[data-ready=yes]");
    assert.ok(await paper() > 700, "still light");
    await button.click();
    assert.ok(await paper() < 200, "dark");
    assert.equal(await button.getAttribute("aria-label"), "Theme: dark");
});

test("without a mouse: to the content, to the search, into a test, and back", async (t) => {
    const { page } = await open(t, PLAIN, "summary");
    const focused = () => page.evaluate(() => document.activeElement.textContent || document.activeElement.name);
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "Skip to the content");
    for (let i = 0; i < 4; i++) await page.keyboard.press("Tab");
    assert.equal(await focused(), "Tests");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.documentElement.dataset.view === "tests");
    assert.equal(await focused(), "Tests", "the heading of what has opened has the focus");
    await page.keyboard.press("/");
    assert.equal(await focused(), "q");
    await page.keyboard.type("ack-within");
    await page.keyboard.press("Tab");
    for (let i = 0; i < 12 && !(await page.evaluate(() => document.activeElement.matches(".scenario a"))); i++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".ladder svg");
    assert.match(await focused(), /^A delayed ACK/);
    await page.keyboard.press("Tab");
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), "none", "one sees where the focus is");
});

test("printed, there is paper and text, and nothing that only a screen needs", async (t) => {
    const { page } = await open(t, PLAIN, "statement", { colorScheme: "dark" });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    assert.equal(await page.locator("#top").isVisible(), false);
    assert.equal(await page.getByRole("button", { name: "Print" }).isVisible(), false);
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor), "rgb(255, 255, 255)");
    for (const clause of ["1 Identification", "2 Conformance status", "3 Implementation conformance statement (PICS)", "4 Extra information for testing (PIXIT)", "5 Verdicts", "6 Observations", "7 Requirements", "8 Test campaign"])
        assert.ok(await page.getByRole("heading", { name: clause }).isVisible(), clause);
    assert.match(await page.locator("main").innerText(), /The test campaign revealed errors/);
    const pdf = await page.pdf({ format: "A4" });
    const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g).length;
    assert.ok(pdf.subarray(0, 5).toString() === "%PDF-" && pages > 5 && pages < 100, `${pages} pages`);
});

// What is wider than the window, of what does not scroll in a frame of its own.
function overflowing() {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    return [...document.querySelectorAll("main *, header *")].filter((element) => element.getBoundingClientRect().right > wide + 1 && !element.closest(".scroll"))
        .slice(0, 5).map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 40)}`);
}

for (const [name, viewport] of [["a phone", PHONE], ["a laptop", LAPTOP]])
    test(`nothing is cut off on ${name}`, async (t) => {
        const { page } = await open(t, PLAIN, "summary", { viewport });
        for (const view of VIEWS) {
            await go(page, view);
            assert.deepEqual(await page.evaluate(overflowing), [], view);
            assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), view);
        }
        for (const file of ["hostile", "huge"]) {
            await page.goto(`file://${work}/pages/${file}.html`);
            await page.waitForSelector("html[data-ready=yes]");
            for (const view of ["summary", "tests", "statement"]) {
                await go(page, view);
                assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${file}, ${view}: ${await page.evaluate(overflowing)}`);
            }
        }
    });

for (const colorScheme of ["light", "dark"])
    test(`axe-core finds no fault, ${colorScheme}`, async (t) => {
        const { page } = await open(t, PLAIN, "summary", { colorScheme, bypassCSP: true });
        await page.evaluate(axe);
        for (const view of VIEWS) {
            await go(page, view);
            // of eight hundred rows that are made alike, the first of each table
            const { violations } = await page.evaluate((rules) => globalThis.axe.run({ include: [["html"]], exclude: [[".statuses tr:nth-child(n+5)"]] },
                { resultTypes: ["violations"], ...rules }), colorScheme === "dark" ? { runOnly: ["color-contrast"] } : {}); // nothing else of the page knows of the scheme
            assert.deepEqual(violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`), [], view);
        }
    });

test("hostile text is shown, and does nothing", async (t) => {
    for (const file of ["hostile", "huge"]) {
        const { page, complaints } = await open(t, `${work}/pages/${file}.html`, "summary");
        const ours = await page.evaluate(() => document.scripts.length);
        const ids = await page.evaluate(async () => JSON.parse(await new Response(new Blob([Uint8Array.from(atob(document.getElementById("data-tests").textContent), (c) => c.charCodeAt(0))]).stream()
            .pipeThrough(new DecompressionStream("deflate"))).text()).map((row) => row[0]));
        const views = ["summary", "tests", "requirements?q=script", "states", "grid", "timing", "statement", ...ids.map((id) => `test/${encodeURIComponent(id)}`)];
        for (const view of views) {
            await go(page, view);
            assert.notEqual(await heading(page), "This cannot be shown", view);
            const planted = await page.evaluate(() => ({
                scripts: document.scripts.length,
                elements: [...document.querySelectorAll("main b, main img, main iframe, main testcase, main script")].length,
                handlers: [...document.querySelectorAll("*")].filter((element) => [...element.attributes].some(({ name }) => name.startsWith("on"))).length,
                links: [...document.querySelectorAll("a")].map((a) => a.getAttribute("href")).filter((href) => !/^(#|\.\/|https:\/\/www\.rfc-editor\.org\/)/.test(href)),
                unseen: /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(document.querySelector("main").textContent),
            }));
            assert.deepEqual(planted, { scripts: ours, elements: 0, handlers: 0, links: [], unseen: false }, view);
        }
        await go(page, `test/${encodeURIComponent(ids.find((id) => id.includes("/fail")))}`);
        assert.match(await page.locator("main").innerText(), /<script>alert\(1\)<\/script>|<&x\|/);
        const command = await page.locator("dt:text-is('Play it again') + dd").innerText();
        assert.match(command, /^tcpassay run '([^']|'\\'')*' --verbose --target '([^']|'\\'')*'$/, "one word each, whoever pastes it into a shell");
        assert.deepEqual(complaints, []);
    }
});

test("a run that was cut short says so in every view, and claims nothing", async (t) => {
    const { page } = await open(t, `${work}/pages/partial.html`, "summary");
    for (const view of ["summary", "requirements", "tests", "test/rfc9293/3.5/a", "states", "grid", "timing", "statement"]) {
        await go(page, view);
        assert.match(await page.locator(".banner").innerText(), /^Partial: the run was cut short while it wrote a result; 1 of 3 tests had finished/);
    }
    assert.match(await page.locator("main").innerText(), /was not completed: no statement about conformance is made/);
    const empty = await open(t, `${work}/pages/empty.html`, "statement");
    assert.match(await empty.page.locator("main").innerText(), /Partial: [\s\S]*no statement about conformance is made/);
});

test("a file that was cut off or damaged says so, and shows the summary that it still has", async (t) => {
    const whole = readFileSync(PLAIN, "utf8");
    const damaged = { cut: whole.slice(0, whole.indexOf("id=\"data-tests\"") + 200), bent: whole.replace(/(id="data-tests">.{40})..../, "$1AAAA"), swapped: whole.replace("\"test_count\":9", "\"test_count\":10") };
    for (const [name, text] of Object.entries(damaged)) {
        assert.notEqual(text, whole, name);
        writeFileSync(`${work}/pages/${name}.html`, text);
        const { page } = await open(t, `${work}/pages/${name}.html`, "summary", { broken: true });
        if (name !== "cut") await page.waitForSelector("#trouble:not([hidden])");
        const said = await page.locator("main").innerText();
        assert.match(said, name === "cut" ? /only the summary/ : /cannot be shown in full/, name);
        assert.match(said, /Failures: 2/, name);
    }
});

test("without JavaScript there are the numbers, and what failed", async (t) => {
    const { page } = await open(t, PLAIN, "", { javaScriptEnabled: false });
    const text = await page.locator("main").innerText();
    for (const wanted of ["TCP conformance of linux", "fail\t3", "pass\t3", "Failures: 2", "rfc9293/3.8-data/ack-within-500ms: The ACK came too late", "Known failures: 1", "takes a browser with JavaScript"])
        assert.ok(text.includes(wanted), `${wanted} in ${text}`);
});
