#!/usr/bin/env python3
"""Plants the defects of defects.toml one at a time in a copy of the reference stack, and measures whether the fuzzer finds them.

    plant.py --check                       every defect still fits the sources (quick; a test)
    plant.py BUILD --corpus DIR [NAME…]    the experiment, in a build with -DTCPASSAY_FUZZ=ON

For each defect: its file is changed, compiled and linked into the harness and the program as they are otherwise. The seeds that show
the defect by themselves, without mutation, are taken out of the corpus first (libFuzzer's -merge=1 leaves out what crashes), and with
them the scenarios that the suite has for just this defect. Then the harness runs for so many processor seconds, or until it finds
something; that is shrunk by `tcpassay fuzz --shrink` and shown by `tcpassay replay`. Results: OUT/results.tsv, a line each.
"""
import argparse
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "targets/reference"))
from altered import STACK, Build  # noqa: E402 (it lies beside what it alters)

# A finding shall be one that replay can show: the harness does not look inside the stack.
ENVIRONMENT = {**os.environ, "TCPASSAY_INVARIANTS": "off"}
COLUMNS = ("name", "kind", "found", "cpu_s", "executions", "what", "steps", "replay", "seeds")


def defects():
    with open(HERE / "defects.toml", "rb") as file:
        return tomllib.load(file)["defect"]


def planted_source(defect):
    """The text of the changed file; a complaint when the defect does not fit."""
    text = (STACK / defect["file"]).read_text()
    count = text.count(defect["old"])
    if count != 1:
        raise ValueError(f'{defect["name"]}: the old text stands {count} times in {defect["file"]}, not once')
    return text.replace(defect["old"], defect["new"])


def check():
    """Every defect fits, has a name of its own and says what it breaks."""
    names, bad = set(), 0
    for defect in defects():
        try:
            planted_source(defect)
            missing = [key for key in ("kind", "breaks", "new") if key not in defect]
            if missing or defect["name"] in names or defect["kind"] not in ("memory", "semantic"):
                raise ValueError(f'{defect["name"]}: its name is taken, or something is missing: {missing}')
        except ValueError as error:
            print(error, file=sys.stderr)
            bad += 1
        names.add(defect["name"])
    print(f"{len(names)} defects, {bad} of them do not fit the sources")
    return bad != 0


def cpu_limit(seconds):
    return lambda: resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))


def summary_of(log):
    """What the harness said of its finding: the model's sentence, or the sanitizer's summary."""
    for pattern in (r"^FINDING (.*)$", r"Assertion `?(.*)' failed", r"^SUMMARY: (.*)$"):
        found = re.search(pattern, log, re.MULTILINE)
        if found:
            return " ".join(found[1].split())[:160]
    return "?"


def fuzz(program, corpus, folder, seconds, seed):
    """(found file or None, processor seconds, executions, what)"""
    command = [program, f"-max_total_time={seconds * 20}", f"-seed={seed}", "-timeout=20", "-print_final_stats=1", "-max_len=320", "-entropic=0", "-len_control=0",
               "-detect_leaks=0", f"-artifact_prefix={folder}/", str(corpus)]
    with open(folder / "fuzz.log", "wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, preexec_fn=cpu_limit(seconds), env=ENVIRONMENT)
        _, child.returncode, usage = os.wait4(child.pid, 0)
    cpu = usage.ru_utime + usage.ru_stime
    output = (folder / "fuzz.log").read_text(errors="replace")
    executions = re.search(r"number_of_executed_units: (\d+)", output)
    artifacts = [path for path in folder.iterdir() if re.match(r"(crash|timeout|oom)-", path.name)]
    return (artifacts[0] if artifacts else None, cpu, executions[1] if executions else "?", summary_of(output))


def is_clean(harness, artifact):
    """Does the unaltered stack play this without a finding?"""
    return subprocess.run([harness, "-detect_leaks=0", artifact], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT, check=False).returncode == 0


def shrink(program, artifact, folder):
    """(steps of the shrunk finding, exit status of its replay); -1 where there is none"""
    out = folder / "shrunk"
    done = subprocess.run([program, "fuzz", "--shrink", artifact, "--out", out], text=True, errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    (folder / "shrink.log").write_text(done.stdout)
    findings = sorted((out / "findings").glob("*.pkt")) if (out / "findings").is_dir() else []
    if not findings:
        return -1, -1
    text = findings[0].read_text()
    steps = re.search(r"^//:?\s*steps (\d+)", text, re.MULTILINE)
    replay = subprocess.run([program, "replay", findings[0]], text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    (folder / "replay.log").write_text(replay.stdout)
    return int(steps[1]) if steps else -1, replay.returncode


def experiment(build, defect, options):
    folder = pathlib.Path(options.out) / defect["name"]
    shutil.rmtree(folder, ignore_errors=True)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    changed = build.object(defect["file"], planted_source(defect), folder)
    harness = build.program("sequences_fuzzer", changed, folder)
    quick = {**ENVIRONMENT, "ASAN_OPTIONS": "symbolize=0", "UBSAN_OPTIONS": "symbolize=0"} # each seed that dies of the defect ends a process
    subprocess.run([harness, "-merge=1", "-max_len=3080", "-detect_leaks=0", f"-artifact_prefix={corpus}-", corpus, options.corpus], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env=quick, check=False)
    seeds = len(os.listdir(corpus))
    artifact, cpu, executions, what = fuzz(harness, corpus, folder, options.seconds, options.seed)
    steps, replay = (-1, -1)
    if artifact and not is_clean(build.folder / "fuzz/sequences_fuzzer", artifact):
        artifact, what = None, "found without the defect, too: " + what
    if artifact:
        program = build.program("tcpassay", changed, folder)
        steps, replay = shrink(program, artifact, folder)
        program.unlink()
    harness.unlink()
    return dict(zip(COLUMNS, (defect["name"], defect["kind"], "yes" if artifact else "no", f"{cpu:.1f}", executions, what, steps, replay, seeds)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--corpus", default=str(ROOT / "fuzz/corpus/sequences"))
    parser.add_argument("--seconds", type=int, default=60, help="of processor time for each defect")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", default="planted-results")
    options = parser.parse_intermixed_args()
    if options.check:
        return check()
    if not options.build:
        parser.error("which build? one with -DTCPASSAY_FUZZ=ON, in which sequences_fuzzer and tcpassay are up to date")
    chosen = [d for d in defects() if not options.names or d["name"] in options.names]
    build = Build(options.build, ("sequences_fuzzer", "tcpassay"))
    os.makedirs(options.out, exist_ok=True)
    rows = []
    with ThreadPoolExecutor(options.jobs) as pool, open(pathlib.Path(options.out) / "results.tsv", "w", encoding="utf-8") as table:
        print("\t".join(COLUMNS), file=table)
        for row in pool.map(lambda d: experiment(build, d, options), chosen):
            rows.append(row)
            print("\t".join(str(row[c]) for c in COLUMNS), file=table, flush=True)
            print("\t".join(str(row[c]) for c in COLUMNS), flush=True)
    found = sum(row["found"] == "yes" for row in rows)
    print(f"{found} of {len(rows)} found within {options.seconds} processor seconds each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
