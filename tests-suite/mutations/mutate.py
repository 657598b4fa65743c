#!/usr/bin/env python3
"""Changes one operator or constant of the reference stack at a time, and sees whether suite and matrix notice.

    mutate.py BUILD [--count N] [--seed S] [--out DIR]

BUILD is a release build in which tcpassay is up to date. Changes are drawn at random among all places where one is possible; one that
does not compile, or compiles to the same code, is none, and another is drawn. Noticed: a test fails or ends in error, the program
crashes, or it does not end. OUT/mutations.tsv has a line for each change; what survives is printed as a diff. Survivors.md argues
about those of the last full run.
"""
import argparse
import difflib
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "targets/reference"))
from altered import STACK, Build, DoesNotCompile  # noqa: E402

# Not the TCP itself: the sockets' bookkeeping of the driver, and what only checks the stack.
LEFT_OUT = {"target.c", "invariants.c", "status.c", "host.c"}
SWAPS = [(r"\bseq_lt\b", "seq_le"), (r"\bseq_le\b", "seq_lt"), (r"\bseq_gt\b", "seq_ge"), (r"\bseq_ge\b", "seq_gt"),
         (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "), (r" == ", " != "), (r" != ", " == "),
         (r" && ", " || "), (r" \|\| ", " && "), (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " + "), (r" \+= ", " -= "), (r" -= ", " += "),
         (r"\+\+", "--"), (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"(?<=[( ])!(?=[a-z(])", ""),
         (r"\bPKT_ACK\b", "PKT_PSH"), (r"\bPKT_RST\b", "PKT_FIN"), (r"\bPKT_FIN\b", "PKT_SYN"), (r"\bPKT_SYN\b", "PKT_RST")]
NUMBER = r"(?<![\w.\"])(\d+)(?=[uUlL]*\b)(?!\.)"
CALL = r"^\s+ref_\w+\([^;{}]*\);\s*$"


def code_of(line):
    """The line without comments and texts, blanks in their place."""
    line = re.sub(r"/\*.*?\*/|\"[^\"]*\"", lambda m: " " * len(m[0]), line)
    return re.sub(r"/\*.*$", lambda m: " " * len(m[0]), line)


def places(name):
    """Every change that one file offers: (line number, new line, what)."""
    lines, inside_comment = (STACK / name).read_text().splitlines(), False
    for number, line in enumerate(lines):
        if inside_comment or line.lstrip().startswith(("/*", "#", "assert(")):
            inside_comment = "*/" not in line and (inside_comment or "/*" in line)
            continue
        code = code_of(line)
        inside_comment = "/*" in line and "*/" not in line[line.rindex("/*"):]
        for pattern, new in SWAPS:
            for m in re.finditer(pattern, code):
                yield number, line[:m.start()] + new + line[m.end():], f"{m[0].strip()} becomes {new.strip() or 'nothing'}"
        for m in re.finditer(NUMBER, code):
            yield number, line[:m.start()] + str(int(m[1]) + 1) + line[m.end():], f"{m[1]} becomes {int(m[1]) + 1}"
        if re.match(CALL, code):
            yield number, line[:len(line) - len(line.lstrip())] + ";", "the call is gone"


def changed_text(name, number, new):
    lines = (STACK / name).read_text().splitlines(keepends=True)
    lines[number] = new + "\n"
    return "".join(lines)


def is_noticed(program, folder, seconds):
    """None when not, else how."""
    try:
        done = subprocess.run([program, "run", "*", "matrix", "--target", "reference", "--quiet", "--seed", "1", "--out", folder / "results"], text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return "does not end"
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        return f"signal {-done.returncode}"
    failed = re.search(r"(\d+) (?:new )?fail", done.stdout)
    return f"exit {done.returncode}, {failed[0] if failed else 'no count'}"


def try_one(build, mutation, index, options):
    name, number, new, what = mutation
    folder = pathlib.Path(options.out) / f"{index}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        before = build.object(name, (STACK / name).read_text(), folder).read_bytes()
        changed = build.object(name, changed_text(name, number, new), folder)
        if changed.read_bytes() == before:
            return None
        how = is_noticed(build.program("tcpassay", changed, folder), folder, options.seconds)
    except DoesNotCompile:
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return name, number + 1, what, how


def show(row, mutations):
    name, number, new, what = mutations
    old = (STACK / name).read_text().splitlines()[number]
    print(f"--- survives: {name}:{row[1]}: {what}")
    print("\n".join(difflib.ndiff([old], [new])), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=60, help="after which a run does not end")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", default="mutation-results")
    options = parser.parse_args()
    build = Build(options.build, ["tcpassay"])
    everything = [(name, *place) for name in sorted(build.compile) if name not in LEFT_OUT for place in places(name)]
    random.Random(options.seed).shuffle(everything)
    os.makedirs(options.out, exist_ok=True)
    tried = noticed = 0
    with ThreadPoolExecutor(options.jobs) as pool, open(pathlib.Path(options.out) / "mutations.tsv", "w", encoding="utf-8") as table:
        at = 0
        while tried < options.count and at < len(everything):
            batch = everything[at:at + min(2 * options.jobs, options.count - tried)]
            for mutation, row in zip(batch, pool.map(lambda pair: try_one(build, pair[1], pair[0], options), list(enumerate(batch, at)))):
                if not row:
                    continue
                tried += 1
                noticed += row[3] is not None
                print(*row, sep="\t", file=table, flush=True)
                if row[3] is None:
                    show(row, mutation)
            at += len(batch)
    print(f"{len(everything)} changes possible, {tried} tried, {noticed} noticed ({100 * noticed / max(tried, 1):.1f} %)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
