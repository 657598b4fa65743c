"""Programs with one file of the reference stack changed, without touching the source tree or building all anew.

The commands are those of an existing Ninja build: the changed file is compiled as ever, and the program linked as ever with the new
object before the archive that has the old one. For fuzz/planted and tests-suite/mutations.
"""
import pathlib
import re
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STACK = ROOT / "targets/reference"
# What a change may leave over is no mistake of the change.
QUIET = ["-Wno-unused-parameter", "-Wno-unused-function", "-Wno-unused-variable", "-Wno-error"]


class DoesNotCompile(Exception):
    """The compiler's or linker's words."""


class Build:
    """How ninja compiles the stack's files and links these programs, in a build folder where they are up to date."""

    def __init__(self, folder, programs):
        self.folder = pathlib.Path(folder).resolve()
        self.compile, self.link = {}, {}
        for program in programs:
            lines = subprocess.run(["ninja", "-C", self.folder, "-t", "commands", program], check=True, text=True,
                                   stdout=subprocess.PIPE).stdout.splitlines()
            self.link[program] = lines[-1]
            for line in lines:
                source = re.search(r"-c \S*/targets/reference/(\w+\.c)$", line)
                if source:
                    self.compile[source[1]] = line

    def object(self, name, text, folder):
        """Compiles text in place of targets/reference/name; the object's path, in folder."""
        source, out = folder / name, folder / (name + ".o")
        source.write_text(text)
        words = shlex.split(self.compile[name])
        for flag, value in (("-o", out), ("-c", source), ("-MF", f"{out}.d"), ("-MT", out)):
            words[words.index(flag) + 1] = str(value)
        self._run(words + QUIET)
        return out

    def program(self, name, changed, folder):
        """Links a program with that object; its path, in folder."""
        out = folder / name
        words = shlex.split(re.sub(r"^: && | && :$", "", self.link[name]))
        words[words.index("-o") + 1] = str(out)
        first = next(i for i, word in enumerate(words) if word.endswith(".o"))
        self._run(words[:first] + [str(changed)] + words[first:])
        return out

    def _run(self, words):
        done = subprocess.run(words, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise DoesNotCompile(done.stdout)
