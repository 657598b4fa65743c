#!/usr/bin/env python3
"""Every format of `tcpassay report`, read back by the parsers of others, against numbers that this script works out by itself.

usage: formats.py PART PROGRAM SOURCE, where PART is agree, hostile, broken, terminal, site, compare or examples. Exit status 77: something that it needs
is not installed.
"""

import collections
import csv
import html.parser
import io
import itertools
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

try:
    import jsonschema
except ImportError:
    sys.exit(77)

PROGRAM, SOURCE = sys.argv[2], sys.argv[3]
SHOULD = ("SHOULD", "SHOULD NOT")
VERDICTS = ("pass", "fail", "inconclusive", "error", "not_applicable")
failures = []


def check(what, condition, detail=""):
    if not condition:
        failures.append(what)
        print(f"FAILED: {what} {str(detail)[:600]}")


def equal(what, got, wanted):
    check(what, got == wanted, f"got {got}, wanted {wanted}")


def run(*arguments, code=0, **more):
    """Runs `tcpassay report`; returns standard output as octets, and standard error as text."""
    done = subprocess.run([PROGRAM, "report", *arguments], capture_output=True, check=False, **more)
    if code is not None and done.returncode != code:
        check(f"report {' '.join(arguments)[:200]}: exit {done.returncode}, not {code}", False, done.stderr.decode(errors="replace"))
    return done.stdout, done.stderr.decode(errors="replace")


def printed(results, form, **more):
    return run(results, f"--{form}", "-", "--quiet", **more)[0]


def has_format(form):
    return f"--{form} FILE" in subprocess.run([PROGRAM, "report", "--help"], capture_output=True, text=True, check=True).stdout and not \
        subprocess.run([PROGRAM, "report", "/dev/null", f"--{form}", "/dev/null"], capture_output=True, check=False).returncode == 2


# ---- numbers, worked out from results.jsonl


def read_journal(path):
    with open(path, encoding="utf-8") as lines:
        lines = [json.loads(line) for line in lines]
    tests = {line["id"]: line for line in lines if line["type"] == "test"}  # of two with one id the later counts
    return lines[0], tests


def count(tests):
    n = collections.Counter({key: 0 for key in (*VERDICTS, "known", "deviations")})
    for test in tests.values():
        n[test["verdict"]] += 1
        if test["verdict"] == "fail":
            n["known"] += test["known"]
        else:
            n["deviations"] += sum(finding["level"] in SHOULD for finding in test["findings"])
    return n


def judge(tests, levels, untestable):
    """The status of each requirement, by the rules of docs/results.md."""
    seen = collections.defaultdict(set)
    for test in tests.values():
        fails = test["verdict"] == "fail"
        whole = fails and (not test["findings"] or any(not f["requirement"] and f["level"] not in SHOULD for f in test["findings"]))
        for cover in test["covers"]:
            seen[cover].add("deviated" if whole and levels.get(cover) in SHOULD else "violated" if whole else "satisfied" if test["verdict"] == "pass" else "")
        for f in test["findings"]:
            if f["requirement"] and (f["level"] in SHOULD or fails and f["level"] != "MAY"):
                seen[f["requirement"]].add("deviated" if f["level"] in SHOULD else "violated")
            elif f["requirement"]:
                seen[f["requirement"]].add("")
    statuses = {}
    for name in set(levels) | set(seen):
        worst = [status for status in ("violated", "deviated", "satisfied") if status in seen[name]]
        statuses[name] = worst[0] if worst else "untestable" if name in untestable else "untested"
    return statuses


def read_csv(octets):
    rows = list(csv.reader(io.StringIO(octets.decode("utf-8"), newline=""), strict=True))
    check("every row of the CSV has as many cells as its head", len({len(row) for row in rows}) == 1)
    check("lines of the CSV end in CRLF", octets.count(b"\n") == octets.count(b"\r\n") == len(rows))
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def check_sarif(octets):
    log = json.loads(octets)
    some = {**log, "runs": [{**part, "results": part["results"][:40]} for part in log["runs"]]}  # the validator is slow
    with open(f"{SOURCE}/reports/test/sarif.schema.json", encoding="utf-8") as schema:
        jsonschema.validate(some, json.load(schema))
    if os.environ.get("SARIF_SCHEMA"):  # OASIS's own, where it is at hand
        with open(os.environ["SARIF_SCHEMA"], encoding="utf-8") as schema:
            jsonschema.Draft4Validator(json.load(schema), format_checker=jsonschema.FormatChecker()).validate(some)
    [sarif] = log["runs"]
    rules = [rule["id"] for rule in sarif["tool"]["driver"]["rules"]]
    equal("rules of the SARIF log stand once", len(rules), len(set(rules)))
    prints = [result["partialFingerprints"]["tcpassay/v1"] for result in sarif["results"]]
    equal("fingerprints differ", len(prints), len(set(prints)))
    check("results point at their rules", all(rules[result["ruleIndex"]] == result["ruleId"] for result in sarif["results"]))
    return sarif


def tap_counts(octets, work):
    """What perl's TAP::Parser makes of it. It knows version 13, of which 14 is a superset that says the same where no subtests are."""
    path = f"{work}/results.tap"
    with open(path, "wb") as out:
        out.write(octets.replace(b"TAP version 14", b"TAP version 13", 1))
    script = ("use TAP::Parser; my $p = TAP::Parser->new({ exec => ['cat', $ARGV[0]] }); my %n; while (my $r = $p->next) { next unless $r->is_test;"
              "$n{$r->has_todo ? 'todo' : $r->has_skip ? 'skip' : $r->is_ok ? 'ok' : 'not_ok'}++ } "
              "print join(' ', map { $n{$_} // 0 } qw(ok not_ok todo skip)), ' ', scalar($p->parse_errors), ' ', $p->tests_planned // 'none', \"\\n\"")
    done = subprocess.run(["perl", "-e", script, path], capture_output=True, text=True, check=True)
    ok, not_ok, todo, skip, errors, planned = done.stdout.split()
    return {"ok": int(ok), "not ok": int(not_ok), "todo": int(todo), "skip": int(skip), "errors": int(errors), "planned": planned}


def agree_on(results, journal, work):
    header, tests = read_journal(journal)
    n = count(tests)
    document = json.loads(printed(results, "json"))
    with open(f"{SOURCE}/reports/results.schema.json", encoding="utf-8") as schema:  # of some tests: the validator is slow
        jsonschema.validate({**document, "tests": document["tests"][:20], "requirements": document["requirements"][:20]}, json.load(schema))
    levels = {r["id"]: r["level"] for r in document["requirements"]}
    rows = {row["requirement"]: row for row in read_csv(printed(results, "csv"))}
    untestable = {name for name, row in rows.items() if row["observable"].startswith("internal")}
    statuses = judge(tests, levels, untestable)

    equal("json: summary", document["summary"], dict(n))
    equal("json: tests", sorted(test["id"] for test in document["tests"]), sorted(tests))
    equal("json: statuses", {r["id"]: r["status"] for r in document["requirements"]}, statuses)
    equal("csv: statuses", {name: row["status"] for name, row in rows.items()}, statuses)
    table = read_csv(printed(results, "tests-csv"))
    equal("tests-csv: verdicts", collections.Counter(row["verdict"] for row in table), collections.Counter(t["verdict"] for t in tests.values()))
    equal("tests-csv: known", sum(row["known"] == "known" for row in table), n["known"])
    equal("tests-csv: deviations", sum(int(row["deviations"]) for row in table), n["deviations"])

    junit = ElementTree.fromstring(printed(results, "junit"))
    cases = list(junit.iter("testcase"))
    equal("junit: cases", len(cases), len(tests))
    equal("junit: failures", sum(case.find("failure") is not None for case in cases), n["fail"] - n["known"])
    equal("junit: errors", sum(case.find("error") is not None for case in cases), n["error"])
    equal("junit: skipped", sum(case.find("skipped") is not None for case in cases), n["known"] + n["inconclusive"] + n["not_applicable"])
    for key in ("tests", "failures", "errors", "skipped"):
        equal(f"junit: {key} of the suites add up", int(junit.get(key)), sum(int(suite.get(key)) for suite in junit.iter("testsuite")))

    tap = tap_counts(printed(results, "tap"), work)
    equal("tap", tap, {"ok": n["pass"], "not ok": n["fail"] - n["known"] + n["error"], "todo": n["known"], "skip": n["inconclusive"] + n["not_applicable"],
                       "errors": 0, "planned": str(len(tests))})

    sarif = check_sarif(printed(results, "sarif"))
    bare = [t for t in tests.values() if t["verdict"] == "fail" and not t["findings"]]
    equal("sarif: results", len(sarif["results"]), sum(len(t["findings"]) for t in tests.values()) + len(bare))
    equal("sarif: suppressed", sum(bool(result["suppressions"]) for result in sarif["results"]),
          sum(max(len(t["findings"]), 1) for t in tests.values() if t["verdict"] == "fail" and t["known"]))
    errors = {result["properties"]["test"] for result in sarif["results"] if result["level"] == "error"}
    check("sarif: errors are of failing tests", errors <= {name for name, t in tests.items() if t["verdict"] == "fail"})

    markdown = printed(results, "md").decode()
    check("md: fits a comment", len(markdown) < 65536)
    cells = [int(cell) for cell in re.search(r"^\| `all` \|(.*)\|$", markdown, re.M).group(1).split("|")]
    equal("md: totals", cells, [n["pass"], n["fail"], n["known"], n["inconclusive"], n["error"], n["not_applicable"], n["deviations"]])
    by_status = collections.Counter(statuses.values())
    said = re.search(r"(\d+) in the catalogue .*?: (\d+) satisfied, (\d+) violated, (\d+) deviated, (\d+) untested, (\d+) not testable", markdown)
    equal("md: requirements", [int(x) for x in said.groups()],
          [len(statuses), *(by_status[s] for s in ("satisfied", "violated", "deviated", "untested", "untestable"))])

    line = run(results, "--line", "--quiet")[0].decode()
    check("line: numbers", f"{n['pass']} passed, {n['fail']} failed" in line, line)
    check("line: requirements", f"requirements: {by_status['satisfied']} satisfied, {by_status['violated']} violated, {by_status['deviated']} deviated" in line, line)
    badge = ElementTree.fromstring(printed(results, "badge"))
    check("badge: says what the line says", line.strip() in "".join(badge.itertext()), line)
    summary = run(results, code=0)[0].decode()
    check("summary: numbers", f"{n['pass']} passed, {n['fail']} failed" in summary and f"{n['not_applicable']} not applicable, {n['deviations']} deviations" in summary)

    if has_format("html"):
        page = printed(results, "html").decode()
        for verdict in VERDICTS:
            check(f"html: {verdict}", re.search(rf'<th scope="row">{verdict}</th><td>{n[verdict]}</td>', page))
    check_pcapng(results, tests, work)
    return header, tests


def tshark(path, *fields):
    done = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=\x1f", *[part for field in fields for part in ("-e", field)]],
                          capture_output=True, check=False)
    equal("tshark reads the file", done.returncode, 0)
    return [line.split("\x1f") for line in done.stdout.decode("utf-8", errors="replace").splitlines()]


def check_pcapng(results, tests, work):
    if not shutil.which("tshark"):
        print("not possible here: tshark is missing")
        return
    path = f"{work}/packets.pcapng"
    run(results, "--pcapng", path, "--quiet")
    rows = tshark(path, "frame.interface_name", "frame.comment")
    folder = results if os.path.isdir(results) else os.path.dirname(results)
    kept = {name: t for name, t in tests.items() if t["pcap"] and os.path.exists(f"{folder}/{t['pcap']}")}
    equal("pcapng: interfaces with packets are the tests with captures", {row[0] for row in rows}, set(kept))
    comments = collections.defaultdict(list)
    for name, comment in rows:
        comments[name].append(comment)
    for name, test in kept.items():
        equal(f"pcapng: findings of {name}", sum(c.count("FAULT") + c.count("DEVIATION") for c in comments[name]), len(test["findings"]))
        for f in test["findings"]:
            if f["segment"] and f["segment"] <= len(comments[name]):
                check(f"pcapng: {name}: segment {f['segment']} is marked", re.search("FAULT|DEVIATION", comments[name][f["segment"] - 1]))


# ---- parts


def agree(work):
    """A run with failures of every kind, on a sabotaged stack, and one without."""
    for target in ("saboteur:ack-plus-one,reference", "reference"):
        out = f"{work}/{target[:3]}"
        subprocess.run([PROGRAM, "run", "-t", target, "--profile", "quick", "rfc9293/3.8.6.3", "rfc9293/3.5", "matrix/established/active", "-q", "-o", out],
                       capture_output=True, check=False)
        header, tests = agree_on(out, f"{out}/results.jsonl", work)
        check("the run planned its tests", header["planned"] == len(tests) > 50)
        check("there is something to count", (count(tests)["fail"] > 10) == (target != "reference"))
        agree_on(f"{out}/results.json", f"{out}/results.jsonl", work)
    made = f"{work}/made"
    os.mkdir(made)
    write_journal(f"{made}/results.jsonl", [make_test(f"rfc9293/3.5/{v}-{k}", v, k) for v in VERDICTS for k in (False, True)])
    agree_on(made, f"{made}/results.jsonl", work)


def make_test(name, verdict, known, **more):
    covers = {"pass": ["RFC9293:MUST-10"], "fail": ["RFC9293:MUST-13", "RFC9293:SHLD-18"]}.get(verdict, ["RFC9293:MUST-7"])
    findings = [{"rule": "expect", "requirement": "RFC9293:MUST-40" if known else "", "level": "MUST", "message": "m", "expected": "e", "observed": "o",
                 "at_ns": 5, "segment": 0}] if verdict == "fail" else []
    if verdict == "pass":
        findings = [{"rule": "r", "requirement": "RFC9293:SHLD-19", "level": "SHOULD", "message": "m", "expected": "", "observed": "", "at_ns": 5, "segment": 0}]
    return {"type": "test", "id": name, "title": "t", "verdict": verdict, "reason": "because", "duration_ns": 1000, "covers": covers, "level": "MUST",
            "findings": findings, "known": known, "known_note": "noted", "reruns": 0, "file": "a/b.pkt", "line": 3, "pcap": "", "pixit": {}, "trace": [], **more}


def make_header(planned=0, **more):
    return {"type": "run", "schema": 1, "tcpassay": "0.1.0", "target": {"name": "linux", "description": "d", "pixit": {}}, "started": "2026-01-02T03:04:05Z",
            "seed": 7, "profile": "full", "selectors": [], "planned": planned, **more}


def write_journal(path, tests, header=None, end=True):
    with open(path, "w", encoding="utf-8", errors="surrogatepass") as out:
        for line in [header or make_header(), *tests, *([{"type": "end", "duration_ns": 5}] if end else [])]:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'`--></title></svg>]]>",
    "=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "a,b;\"c\"\r\nd",
    "| x | [y](javascript:alert(1)) ![z](http://evil.example/x.png) <b>w</b> @everyone #1 http://evil.example `` ``` ~~~",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07\x07\x08\x7f\u009b31m", "\u202egnp.exe\u2066\u200f\ufeff",
    "../../../../etc/passwd", "/etc/passwd", "pcap/../../x", "javascript:alert(1)", "file:///etc/passwd", "//evil.example/x", "%2e%2e/x?y#z",
    "{0} {1} [a](b)", "not ok 1 - forged\nBail out!\n1..0\n---\n...", "# TODO x # SKIP y", "\u0000".replace("\u0000", "\u0001"), "\ufffe\uffff\U0001f99e",
]


def hostile(work):
    """Hostile strings everywhere that one can come from: each string in turn, then all of them as one, then a megabyte of them."""
    rotations = [HOSTILE[start:] + HOSTILE[:start] for start in (0, 11)]
    for number, texts in enumerate([*rotations, ["".join(HOSTILE)], [("".join(HOSTILE) * 2500)[:1 << 20]]]):
        feed = itertools.cycle(texts)
        huge = len(texts[0]) > 500000
        out = f"{work}/h{number}"
        os.makedirs(f"{out}/pcap")
        tests = [make_hostile(feed, v, known, huge) for v in (("fail",) if huge else VERDICTS) for known in (False, True) if not huge or known]
        name = next(feed)
        target = {"name": name, "description": next(feed), "pixit": {next(feed)[:999]: next(feed)}}
        write_journal(f"{out}/results.jsonl", tests,
                      make_header(target=target, tcpassay=next(feed), started=next(feed), profile=next(feed), selectors=[next(feed)]))
        check_hostile(out, f"{out}/results.jsonl", name, work)


def make_hostile(feed, verdict, known, huge):
    """A test all of whose strings come from feed; of huge ones a line has room for some."""
    finding = {"rule": next(feed)[:9999], "requirement": next(feed)[:9999], "level": "MUST", "message": next(feed), "expected": next(feed), "observed": next(feed),
               "at_ns": 1, "segment": 1}
    event = {"at_ns": 1, "kind": "sent", "index": 1, "step": 1, "segment": next(feed), "text": next(feed)}
    return make_test(f"{next(feed)[:150]}/{verdict}{known}", verdict, known, title=next(feed), reason=next(feed), known_note=next(feed),
                     covers=[next(feed), "RFC9293:MUST-7"], file=next(feed), pcap=next(feed), pixit={next(feed)[:999]: next(feed)[:9999]},
                     findings=[finding] if huge else [finding, {**finding, "level": "SHOULD"}] if verdict in ("fail", "pass") else [],
                     trace=[] if huge else [event, {**event, "kind": "note", "index": 0, "text": next(feed)}])


class Collector(html.parser.HTMLParser):
    """Elements, their attributes, and text outside of <code>."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.elements, self.attributes, self.loose, self.inside = collections.Counter(), [], [], []

    def handle_starttag(self, tag, attrs):
        self.elements[tag] += 1
        self.attributes += [(tag, *pair) for pair in attrs]
        self.inside.append(tag)

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if "code" not in self.inside:
            self.loose.append(data)


CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def check_plain(what, text):
    """No control characters but line ends."""
    found = CONTROLS.search(text.replace("\r\n", "\n"))
    check(f"{what}: no control characters", not found, found and repr(text[max(0, found.start() - 40):found.end()]))


def check_page(what, text, elements, addresses):
    """An HTML page has no elements, handlers or addresses but its own."""
    page = Collector()
    page.feed(text)
    check(f"{what}: elements", set(page.elements) <= elements, set(page.elements) - elements)
    check(f"{what}: one script", page.elements["script"] <= 1)
    for tag, name, value in page.attributes:
        check(f"{what}: no handlers", not name.startswith("on"), (tag, name))
        if name in ("href", "src"):
            check(f"{what}: addresses", re.match(addresses, value or ""), (tag, name, value))
    check_plain(what, text)


PAGE_ELEMENTS = set("html head meta link title style body main h1 h2 nav a p ol ul li strong span br div label input output script table thead tbody tr th td "
                    "img svg polyline".split())
PAGE_ADDRESSES = r"(index|tests|requirements|report)\.html(#[!-~]*)?$|#[!-~]*$|(requirements|tests)\.csv$|history\.jsonl$|badge\.svg$|data:,$"


def check_markdown(text):
    check_plain("md", text)
    done = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough"], input=text.encode(), capture_output=True, check=True)
    page = Collector()
    page.feed(done.stdout.decode())
    allowed = {"h1", "h2", "p", "code", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "ol", "li"}
    check("md: elements", set(page.elements) <= allowed, set(page.elements) - allowed)
    check("md: nobody is mentioned", "@" not in "".join(page.loose))
    for table in re.findall("<table>.*?</table>", done.stdout.decode(), re.S):
        equal("md: cells of a row", len({row.count("<td") + row.count("<th") for row in re.findall("<tr>.*?</tr>", table, re.S)}), 1)


def check_hostile(out, journal, text, work):
    _, tests = read_journal(journal)
    n = count(tests)
    document = json.loads(printed(out, "json"))
    equal("json: summary", document["summary"], dict(n))
    equal("json: the text is kept", document["target"]["name"], text)

    junit = ElementTree.fromstring(printed(out, "junit"))
    equal("junit: cases", sum(1 for _ in junit.iter("testcase")), len(tests))
    tap = tap_counts(printed(out, "tap"), work)
    equal("tap: tests and errors", (sum(tap[k] for k in ("ok", "not ok", "todo", "skip")), tap["errors"]), (len(tests), 0))
    sarif = check_sarif(printed(out, "sarif"))
    equal("sarif: results", len(sarif["results"]), sum(len(t["findings"]) for t in tests.values()))
    for result in sarif["results"]:
        check_plain("sarif: message", result["message"]["text"])
        check("sarif: no links", not re.search(r"(?<!\\)\[[^]\\]*(?<!\\)\]\(", result["message"]["text"]), result["message"]["text"])
        uri = result["locations"][0].get("physicalLocation", {}).get("artifactLocation", {}).get("uri", "x")
        check("sarif: addresses stay below their folder", ".." not in uri.split("/") and ":" not in uri and not uri.startswith("/"), uri)

    for form in ("csv", "tests-csv"):
        octets = printed(out, form)
        check_plain(form, octets.decode())
        for row in read_csv(octets):
            check(f"{form}: no formulas", all(not cell.startswith(tuple("=+-@\t\r")) for cell in row.values()), [c for c in row.values() if c[:1] in tuple("=+-@")][:1])
    equal("tests-csv: rows", len(read_csv(printed(out, "tests-csv"))), len(tests))

    check_markdown(printed(out, "md").decode())
    check("md: fits a comment", len(printed(out, "md")) < 65536)
    badge = printed(out, "badge").decode()
    equal("badge: elements", collections.Counter(e.tag.split("}")[1] for e in ElementTree.fromstring(badge).iter()),
          collections.Counter(svg=1, title=1, clipPath=1, rect=3, g=2, text=2))
    check_plain("badge", badge)
    for arguments in (["--line"], [], ["--baseline", out], [out, "--compare", "--all"], ["--color", "never"]):
        check_plain(f"terminal {arguments[:1]}", run(out, *arguments)[0].decode())
    for form in ("md", "json", "csv", "html"):
        octets = run(out, out, "--compare", f"--{form}", "-")[0].decode() if form != "html" or has_format("html") else ""
        if form == "json":
            equal("comparison: runs", len(json.loads(octets)["runs"]), 2)
        elif form == "csv":
            read_csv(octets.encode())
        elif form == "md":
            check_markdown(octets)
        elif octets:
            check_page("comparison", octets, PAGE_ELEMENTS, PAGE_ADDRESSES)

    site = f"{out}/site"
    for _ in range(2):
        run(out, "--site", site)
    for page in ("index", "tests", "requirements"):
        with open(f"{site}/{page}.html", encoding="utf-8") as file:
            check_page(page, file.read(), PAGE_ELEMENTS, PAGE_ADDRESSES)
    if shutil.which("tshark"):
        run(out, "--pcapng", f"{work}/h.pcapng", "--quiet")
        equal("pcapng: nothing is read from elsewhere", tshark(f"{work}/h.pcapng", "frame.number"), [])


def broken(work):
    """Files that are cut, mixed, of another schema or in part: an error that says where, or a report that says it is partial. Never green."""
    whole = [make_test(f"rfc9293/3.5/t{i}", "pass", False) for i in range(6)]
    path = f"{work}/results.jsonl"
    write_journal(path, whole, make_header(planned=6))
    with open(path, "rb") as file:
        journal = file.read()
    document = printed(path, "json")
    check("the whole of it is green", b"6 passed" in printed(path, "badge") and b"incomplete" not in printed(path, "badge"))

    for at in list(range(1, len(journal) - 1, 97)) + [len(journal) - 2]:
        check_cut(f"{work}/cut.jsonl", journal[:at], f"the journal cut at {at}")
    for at in list(range(1, len(document) - 2, 2999)) + [len(document) - 3]:
        check_cut(f"{work}/cut.json", document[:at], f"the document cut at {at}")

    lines = journal.splitlines(keepends=True)
    other = json.loads(lines[1])
    for what, text, code, said in (
        ("two runs in one file", journal + journal, 3, "second header"),
        ("a document and a journal", document + journal, 3, ""),
        ("a line of another run's test", b"".join(lines[:3]) + b'{"type":"test","id":"x","verdict":"maybe"}\n', 3, "verdict"),
        ("schema 0", journal.replace(b'"schema": 1', b'"schema": 0'), 3, "schema"),
        ("schema 2", journal.replace(b'"schema": 1', b'"schema": 2'), 3, "newer tcpassay"),
        ("no schema", journal.replace(b'"schema": 1', b'"skema": 1'), 3, "schema"),
        ("a document of schema 2", document.replace(b'"schema": 1', b'"schema": 2'), 3, "newer tcpassay"),
        ("a test without verdict", journal.replace(b'"verdict"', b'"verdikt"'), 3, "verdict"),
        ("a test without id", journal.replace(b'"id"', b'"ident"'), 3, "id"),
        ("a test without findings", journal.replace(b'"findings"', b'"gone"'), 0, ""),
        ("no header", b"".join(lines[1:]), 3, "before the header"),
        ("an empty file", b"", 3, "empty"), ("no JSON", b"hello\n", 3, "not JSON"), ("a list", b"[]\n", 3, "list"), ("octets", bytes(range(256)), 3, ""),
        ("no UTF-8", journal.replace(b"because", b"bec\xffuse"), 3, "unable to decode"),
        ("a NUL", journal.replace(b"because", b"bec\\u0000use"), 3, ""),
        ("deep", b"[" * 100000, 3, ""),
    ):
        with open(f"{work}/odd", "wb") as file:
            file.write(text)
        stdout, stderr = run(f"{work}/odd", "--line", code=code)
        check(f"{what}: is said", said in stderr and (code == 0 or "odd" in stderr), stderr)
        check(f"{what}: nothing is printed", code == 0 or not stdout, stdout)

    for what, text, said in (
        ("a line is missing", b"".join([*lines[:3], *lines[4:]]), b"incomplete"),
        ("no test at all", lines[0].replace(b'"planned": 6', b'"planned": 0') + lines[-1], b"nothing tested"),
        ("no end", b"".join(lines[:-1]), b"incomplete"),
        ("an error", journal.replace(lines[1], json.dumps({**other, "verdict": "error"}).encode() + b"\n"), b"1 errors"),
        ("nothing decided", re.sub(b'"verdict": "pass"', b'"verdict": "inconclusive"', journal), b"nothing tested"),
        ("a document whose tests are gone", json.dumps({**json.loads(document), "tests": []}).encode(), b"incomplete"),
    ):
        with open(f"{work}/part", "wb") as file:
            file.write(text)
        check_not_green(f"{work}/part", what)
        check(f"{what}: the badge says so", said in printed(f"{work}/part", "badge"))

    os.mkdir(f"{work}/empty")
    for missing in (f"{work}/empty", f"{work}/nowhere", "/dev/null"):
        check("what cannot be opened is named", missing in run(missing, code=3)[1])
    run(path, "--json", f"{work}/nowhere/x", code=3)
    run(path, "--json", "/dev/full", code=3)


def check_cut(path, octets, what):
    with open(path, "wb") as file:
        file.write(octets)
    done = subprocess.run([PROGRAM, "report", path, "--line"], capture_output=True, check=False)
    if done.returncode == 0:
        check_not_green(path, what)
    else:
        check(f"{what}: is said", done.returncode == 3 and path.encode() in done.stderr and not done.stdout, done.stderr)


GREEN = (b"#2f7d32", b"#7a7a00")


def check_not_green(path, what):
    badge = printed(path, "badge")
    check(f"{what}: the badge is not green", not any(color in badge for color in GREEN), badge)
    line = run(path, "--line", "--quiet")[0].decode()
    check(f"{what}: the line does not begin well", line.startswith(("INCOMPLETE", "ERRORS", "NOTHING TESTED")), line)
    if "INCOMPLETE" in line:
        check(f"{what}: sarif says so", not json.loads(printed(path, "sarif"))["runs"][0]["invocations"][0]["executionSuccessful"])
        check(f"{what}: csv says so", all(row["run"] == "incomplete" for row in read_csv(printed(path, "csv"))))
        check(f"{what}: md says so", b"cut short" in printed(path, "md"))
        check(f"{what}: the summary says so", re.search(b"cut short|incomplete", run(path)[0]))
        check(f"{what}: standard error says so", "incomplete" in run(path, "--line")[1])


def on_terminal(arguments, columns, **environment):
    """What the program writes to a terminal of so many columns."""
    master, slave = pty.openpty()
    import fcntl
    import struct
    import termios
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "TERM")}
    process = subprocess.Popen([PROGRAM, *arguments], stdin=slave, stdout=slave, stderr=slave, env={**env, "TERM": "xterm", **environment})
    os.close(slave)
    octets = b""
    while True:
        try:
            piece = os.read(master, 65536) if select.select([master], [], [], 60)[0] else b""
        except OSError:
            piece = b""
        if not piece:
            break
        octets += piece
    process.wait()
    os.close(master)
    return octets.decode().replace("\r\n", "\n")


def terminal(work):
    write_journal(f"{work}/results.jsonl", [make_test(f"rfc9293/3.5-a-section-with-a-long-name/{v}", v, False) for v in VERDICTS])
    report = ["report", work]
    check("a terminal has colours", "\x1b[" in on_terminal(report, 100))
    check("NO_COLOR has none", "\x1b" not in on_terminal(report, 100, NO_COLOR="1"))
    check("an empty NO_COLOR counts as none", "\x1b[" in on_terminal(report, 100, NO_COLOR=""))
    check("a dumb terminal has none", "\x1b" not in on_terminal(report, 100, TERM="dumb"))
    check("--color never", "\x1b" not in on_terminal([*report, "--color", "never"], 100))
    check("--color always, in a pipe", b"\x1b[" in run(work, "--color=always")[0])
    check("a pipe has none", b"\x1b" not in run(work)[0])
    run(work, "--color", "sometimes", code=2)
    for columns in (40, 79, 80, 120):
        text = re.sub("\x1b\\[[0-9;]*m", "", on_terminal(report, columns))
        table = [line for line in text.splitlines() if re.match(r"rfc9293/|section", line)]
        check(f"the table fits {columns} columns", table and all(len(line) <= max(columns, 75) for line in table), table[:2])

    quick = ["run", "rfc9293/3.5.1", "-o", f"{work}/o"]
    text = on_terminal(quick, 50)
    check("a run shows its progress on a terminal", "\r\x1b[K[" in text)
    check("progress fits the terminal", all(len(part.split("\n")[0]) < 50 for part in text.split("\r\x1b[K")[1:] if part.startswith("[")))
    check("no progress on a dumb one", "\r\x1b[K" not in on_terminal(quick, 100, TERM="dumb"))
    check("quiet means quiet", on_terminal([*quick, "--quiet"], 100) == "", on_terminal([*quick, "--quiet"], 100))
    piped = subprocess.run([PROGRAM, *quick], capture_output=True, check=False).stdout
    check("no progress in a pipe", b"\x1b" not in piped and b"\r" not in piped)
    check("--color reaches run", b"\x1b[" in subprocess.run([PROGRAM, "run", "-t", "saboteur:ack-plus-one,reference", "rfc9293/3.8.6.3", "--color=always", "-o", f"{work}/p"],
                                                           capture_output=True, check=False).stdout)
    for form in ("--line", "--quiet"):
        closed = subprocess.Popen([PROGRAM, "report", work, form], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        closed.stdout.close()
        closed.wait()


def site(work):
    one, two, folder = f"{work}/one.jsonl", f"{work}/two.jsonl", f"{work}/site"
    write_journal(one, [make_test("rfc9293/3.5/a", "pass", False)], make_header(planned=1))
    write_journal(two, [make_test("rfc9293/3.5/a", "fail", False), make_test("rfc9293/3.5/b %é", "pass", False)], make_header(planned=2, seed=8, started="2026-01-03T03:04:05Z"))
    run(one, "--site", folder)
    with open(f"{folder}/mine.txt", "w", encoding="utf-8") as mine:
        mine.write("mine")
    os.mkdir(f"{folder}/run-1")
    run(two, "--site", folder)
    run(two, "--site", folder)
    with open(f"{folder}/history.jsonl", encoding="utf-8") as file:
        history = [json.loads(line) for line in file]
    equal("the history grows", [(h["seed"], h["pass"], h["fail"], h["standing"]) for h in history], [(7, 1, 0, "passed"), (8, 1, 1, "failed"), (8, 1, 1, "failed")])
    check("what it did not make stays", os.path.exists(f"{folder}/mine.txt") and os.path.isdir(f"{folder}/run-1"))
    check("nothing is left over", not [name for name in os.listdir(folder) if name.endswith(".new")])
    index = slurp(f"{folder}/index.html")
    equal("a run added twice is shown once", index.count('<tr><td class="when">2026-'), 2)
    check("the newest stands first", index.index("2026-01-03") < index.index("2026-01-02"))
    check("the trend has a point per run", re.search(r'points="4,32 12,4 "', index), re.findall("points.*?>", index))
    page = slurp(f"{folder}/tests.html")
    for name in ("rfc9293/3.5/a", "rfc9293/3.5/b%20%25%C3%A9"):
        check(f"{name} has an address", f'id="{name}"' in page and f'href="#{name}"' in page)
    check("a requirement has an address", 'id="RFC9293:MUST-13"' in slurp(f"{folder}/requirements.html"))
    for page in ("index", "tests", "requirements"):
        check_page(page, slurp(f"{folder}/{page}.html"), PAGE_ELEMENTS, PAGE_ADDRESSES)

    nasty = ['{"type":"summary","target":"<script>alert(1)</script>","pass":-1}', "x" * 100000, '{"type":"summary"', "[]", '{"type":"summary","target":5}', "\x00\x01",
             json.dumps({**history[0], "target": "<script>alert(1)</script>", "started": "<b>", "standing": "\" onload=alert(1)", "seed": 9}),
             json.dumps({**history[0], "pass": 1e999}), json.dumps({**history[0], "pass": 2**70})]
    with open(f"{folder}/history.jsonl", "a", encoding="utf-8") as file:
        file.write("\n".join(nasty))  # and no newline at its end
    check("what cannot be read is said", "8 lines of history.jsonl cannot be read" in run(one, "--site", folder)[1])
    index = slurp(f"{folder}/index.html")
    check_page("index", index, PAGE_ELEMENTS, PAGE_ADDRESSES)
    check("… on the page too", "8 lines of history.jsonl cannot be read" in index)
    check("a line torn by somebody does not spoil ours", json.loads(slurp(f"{folder}/history.jsonl").splitlines()[-1])["seed"] == 7)
    check("nothing of it was deleted", all(line in slurp(f"{folder}/history.jsonl") for line in nasty))

    os.mkdir(f"{work}/other")
    with open(f"{work}/other/index.html", "w", encoding="utf-8") as file:
        file.write("somebody's")
    check("somebody else's page is not replaced", "index.html" in run(one, "--site", f"{work}/other", code=3)[1])
    equal("… and is as it was", slurp(f"{work}/other/index.html"), "somebody's")
    equal("… and alone", os.listdir(f"{work}/other"), ["index.html"])
    run(one, "--site", "/proc/nowhere/site", code=3)


def slurp(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def compare(work):
    names = ["a", "b", "c"]
    verdicts = {"a": {"x/1/t1": "pass", "x/1/t2": "pass", "x/1/t10": "fail"}, "b": {"x/1/t1": "pass", "x/1/t2": "fail", "x/1/t10": "fail"},
                "c": {"x/1/t1": "pass", "x/1/t3": "error"}}
    for name in names:
        write_journal(f"{work}/{name}", [make_test(t, v, False) for t, v in verdicts[name].items()],
                      make_header(target={"name": f"stack-{name}", "description": "d", "pixit": {}}))
    paths = [f"{work}/{name}" for name in names]
    document = json.loads(run(*paths, "--compare", "--json", "-")[0])
    cells = {row["id"]: row["runs"] for row in document["tests"]}
    equal("cells", cells, {t: [verdicts[name].get(t, "absent") for name in names] for t in ("x/1/t1", "x/1/t2", "x/1/t3", "x/1/t10")})
    equal("what differs comes first, numbers by value", [row["id"] for row in document["tests"]], ["x/1/t2", "x/1/t3", "x/1/t10", "x/1/t1"])
    equal("names", [r["name"] for r in document["runs"]], ["stack-a", "stack-b", "stack-c"])
    for r, path in enumerate(paths):
        statuses = {q["id"]: q["status"] for q in json.loads(printed(path, "json"))["requirements"]}
        equal(f"requirements of run {r}", {row["id"]: row["runs"][r] for row in document["requirements"]}, statuses)
    table = read_csv(run(*paths, "--compare", "--csv", "-")[0])
    equal("csv agrees", {row["id"]: [row[f"stack-{name}"] for name in names] for row in table if row["kind"] == "test"}, cells)
    text = run(*paths, "--compare")[0].decode()
    check("text: differences alone", "x/1/t2" in text and "x/1/t1 " not in text, text)
    check("text: all", "x/1/t1 " in run(*paths, "--compare", "--all")[0].decode())
    check("text: counts", "Tests: 3 of 4 differ" in text)
    markdown = run(*paths, "--compare", "--md", "-")[0].decode()
    check_markdown(markdown)
    check("md: rows", "| `x/1/t2` | pass | fail | absent |" in markdown, markdown)
    same = json.loads(run(paths[0], paths[0], "--compare", "--json", "-")[0])
    equal("one run twice has two names", [r["name"] for r in same["runs"]], ["stack-a (2026-01-02T03:04:05Z) #1", "stack-a (2026-01-02T03:04:05Z) #2"])
    check("… and nothing differs", not any(row["differs"] for row in same["tests"] + same["requirements"]))
    if has_format("html"):
        check_page("html", run(*paths, "--compare", "--html", "-")[0].decode(), PAGE_ELEMENTS, PAGE_ADDRESSES)

    run(*paths, code=2)
    run(*paths, "--compare", "--junit", "-", code=2)
    run(*([paths[0]] * 17), "--compare", code=2)
    run(paths[0], "--compare", code=2)
    run(code=2)
    stdout, _ = run(paths[1], "--baseline", paths[0], code=1)
    check("baseline: another target is said", b"another target" in stdout)
    check("baseline: a new failure", b"NEW FAILURE x/1/t2" in stdout and b"1 new failures, 1 still failing" in stdout, stdout)
    run(paths[0], "--baseline", paths[1], code=0)
    run(paths[0], "--baseline", f"{work}/nowhere", code=3)
    again = run(paths[0], paths[1], "--compare", "--json", "-")[0]
    equal("the same again is the same octets", again, run(paths[0], paths[1], "--compare", "--json", "-")[0])


def examples(work):
    """Every command of docs/reports.md that can be run here, as it stands there, after a run of its own."""
    os.symlink(PROGRAM, f"{work}/tcpassay")
    env = {**os.environ, "PATH": f"{work}:{os.environ['PATH']}", "TCPASSAY_DATA": SOURCE}
    subprocess.run([PROGRAM, "run", "-t", "saboteur:ack-plus-one,reference", "rfc9293/3.8.6.3", "-q"], cwd=work, capture_output=True, check=False)
    for name in ("linux", "lwip", "reference", "before"):
        shutil.copytree(f"{work}/tcpassay-results", f"{work}/{name}")
    commands = re.findall(r"^    ((?:tcpassay|tshark) .*)$", slurp(f"{SOURCE}/docs/reports.md"), re.M)
    check("there are examples", len(commands) >= 8, commands)
    for command in commands:
        if command.startswith("tshark") and not shutil.which("tshark"):
            continue
        done = subprocess.run(command, shell=True, cwd=work, env=env, capture_output=True, check=False)
        equal(command, (done.returncode, done.stderr.decode() if command.startswith("tcpassay") else ""), (0, ""))
    options = set(re.findall(r"--[a-z-]+", subprocess.run([PROGRAM, "report", "--help"], capture_output=True, text=True, check=True).stdout))
    told = set(re.findall(r"`?(--[a-z-]+)", slurp(f"{SOURCE}/docs/reports.md")))
    equal("options that docs/reports.md does not tell of", options - told - {"--help"}, set())


def main():
    parts = {part.__name__: part for part in (agree, hostile, broken, terminal, site, compare, examples)}
    for tool in ("perl", "cmark-gfm"):
        if not shutil.which(tool):
            print(f"not possible here: {tool} is missing")
            sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="tcpassay-test-") as work:
        parts[sys.argv[1]](work)
    print(f"{len(failures)} failed")
    sys.exit(1 if failures else 0)


main()
