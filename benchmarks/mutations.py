"""Put small faults into the product, one at a time, and see whether a test notices.

    pip install pytest-cov
    python benchmarks/mutations.py --map tests.coverage      # once: which test runs which line
    python benchmarks/mutations.py --from tests.coverage --out left.json     # 500 faults
    python benchmarks/mutations.py --from tests.coverage --again left.json   # those that survived

A fault is one change of one expression or statement: a comparison turned round, a condition
negated, a call left out, an answer lost, a number one higher, a word changed (not a sentence: what
people read is held by few tests on purpose). Which faults are tried follows from ``--seed``. Each
is tried in a copy of the checkout with the tests that run the changed line, the quickest first,
until one fails that passes without it; for a line that runs at import, with tests that run anything
of its file. Prints a table by room, and with ``--out`` writes every fault that survived with its
place and its change.

A fault that no test runs counts as one that nobody noticed; one that never ends, as noticed.
After new tests, ``--map new.coverage tests/FILE ...`` makes a map of these alone, and ``--from``
takes several maps.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[1]
PLACES = (
    "domain",
    "services",
    "account",
    "scenarios",
    "webhooks",
    "apis",
    "simulator",
    "control",
    "console",
    "web",
)
LIMIT_S = 120.0  # of real time, for the tests of one fault
STAGES = (0, 10, 60, 150)  # the quickest tests first; more than these notice little more
MOST_S = 60.0  # what these took in all when the map was made
LIBRARIES = (
    "hypothesis",
    "faker",
    "flask",
    "marshmallow",
    "tinydb",
    "msgspec",
    "apispec",
    "cheroot",
)
LIBRARIES += (
    "click",
    "jsonschema",
    "yaml",
    "urllib3",
    "phonenumbers",
    "freezegun",
    "plivo",
    "httpx",
)
NOT_RUN = (4, 5)  # pytest's exit codes when a test that was named is not there

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OTHER: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One change: in which file, at which lines, what stands there and what is put there."""

    file: str
    line: int
    end: int
    start_column: int
    end_column: int
    before: str
    after: str
    is_statement: bool

    @property
    def place(self) -> str:
        return self.file.split("/")[1]


def faults_of(path: Path) -> Iterator[Fault]:
    """Every fault that could be put into a file."""
    text = path.read_text("utf-8")
    file = path.relative_to(ROOT).as_posix()
    for node, new in _changes(ast.parse(text)):
        before = ast.get_source_segment(text, node)
        after = ast.unparse(new)
        if before is None or ast.unparse(node) == after:
            continue
        yield Fault(
            file, node.lineno, node.end_lineno or node.lineno,
            node.col_offset, node.end_col_offset or 0, before, after,
            isinstance(node, ast.stmt),
        )  # fmt: skip


def _changes(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, ast.AST]]:
    """The expressions and statements that can be changed, and what to put there instead."""
    for node in _executed(tree):
        match node:
            case ast.Compare(ops=[op]) if type(op) in _TURNED:
                turned = _TURNED[type(op)]()
                yield node, ast.Compare(node.left, [turned], node.comparators)
            case ast.BoolOp(op=op):
                other = ast.Or() if isinstance(op, ast.And) else ast.And()
                yield node, ast.BoolOp(other, node.values)
            case ast.UnaryOp(op=ast.Not()):
                yield node, node.operand
            case ast.BinOp(op=op) if type(op) in _OTHER and not _has_text(node):
                yield node, ast.BinOp(node.left, _OTHER[type(op)](), node.right)
            case ast.Constant(value=bool() as value):
                yield node, ast.Constant(not value)
            case ast.Constant(value=int() as value):
                yield node, ast.Constant(value + 1)
            case ast.Constant(value=str() as value) if value and " " not in value:
                yield node, ast.Constant("" if len(value) > 1 else "X")
            case ast.Expr(value=ast.Call()):
                yield node, ast.Pass()
            case ast.Return(value=ast.expr() as value) if not _is_none(value):
                yield node, ast.Return(ast.Constant(None))
            case ast.If(test=test):
                yield test, ast.UnaryOp(ast.Not(), test)
            case ast.Continue():
                yield node, ast.Break()
            case ast.Break():
                yield node, ast.Continue()
            case ast.AugAssign(op=op) if type(op) in _OTHER:
                yield node, ast.AugAssign(node.target, _OTHER[type(op)](), node.value)
            case _:
                pass


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree but for annotations, docstrings, parts of texts, imports and what only a
    type checker reads."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Import | ast.ImportFrom | ast.JoinedStr | ast.match_case):
            continue
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Assert | ast.arg):
            continue
        if isinstance(child, ast.AnnAssign):
            if child.value is not None:
                yield child.value
                yield from _executed(child.value)
            continue
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            child.returns = None
            child.decorator_list = []
        if isinstance(child, ast.ClassDef):
            child.decorator_list = []
            child.bases = []
            child.keywords = []
        yield child
        yield from _executed(child)


def _has_text(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.JoinedStr) or (isinstance(part, ast.Constant) and part.value == "")
        for part in ast.walk(node)
    )


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def chosen(seed: int, wanted: int) -> list[Fault]:
    """The faults to try; each of all that there are has the same chance."""
    found = [
        fault
        for place in PLACES
        for path in sorted((ROOT / "plivo_sim" / place).rglob("*.py"))
        for fault in faults_of(path)
    ]
    return random.Random(seed).sample(found, min(wanted, len(found)))


def spoil(root: Path, fault: Fault) -> str:
    """Put a fault into a copy of the checkout; returns the text that was there."""
    path = root / fault.file
    whole = path.read_text("utf-8")
    lines = whole.encode().splitlines(keepends=True)
    head = b"".join(lines[: fault.line - 1]) + lines[fault.line - 1][: fault.start_column]
    tail = lines[fault.end - 1][fault.end_column :] + b"".join(lines[fault.end :])
    after = fault.after if fault.is_statement else f"({fault.after})"
    path.write_bytes(head + after.encode() + tail)
    return whole


def found_again(path: Path) -> list[Fault]:
    """The faults that an earlier run wrote, each at the place nearest to where it was."""
    found = []
    for told in json.loads(path.read_text()):
        told.pop("result")
        old = Fault(**told)
        if not (ROOT / old.file).exists():
            continue
        alike = [
            fault
            for fault in faults_of(ROOT / old.file)
            if (fault.before, fault.after) == (old.before, old.after)
        ]
        if alike:
            found.append(min(alike, key=lambda fault: abs(fault.line - old.line)))
    return found


class Map:
    """Which tests run which line, and how long each takes."""

    def __init__(self, paths: list[Path]) -> None:
        from coverage import CoverageData

        self._data = [CoverageData(str(path)) for path in paths]
        self._seconds: dict[str, float] = {}
        for path, data in zip(paths, self._data, strict=True):
            data.read()
            self._seconds |= json.loads(path.with_suffix(".json").read_text())
        self._lines: dict[str, dict[int, list[str]]] = {}
        self._there = _collected()

    def _of_file(self, file: str) -> dict[int, list[str]]:
        """The tests that run each line of a file."""
        lines: dict[int, list[str]] = defaultdict(list)
        for data in self._data:
            for name in data.measured_files():
                if name.endswith(f"/plivo_sim/{file}"):
                    for line, tests in data.contexts_by_lineno(name).items():
                        lines[line] += tests
        return lines

    def tests(self, fault: Fault) -> list[str]:
        """The tests that run the lines of a fault, the quickest of each test file first."""
        inside = fault.file.removeprefix("plivo_sim/")
        if inside not in self._lines:
            self._lines[inside] = self._of_file(inside)
        lines = self._lines[inside]
        found = {
            context.partition("|")[0]
            for line in range(fault.line, fault.end + 1)
            for context in lines.get(line, ())
            if context
        } or {context.partition("|")[0] for own in lines.values() for context in own if context}
        ranked = sorted(found & self._there, key=lambda test: (self._seconds.get(test, 9.0), test))
        return list(self._within_time(_from_many_files(ranked)[: STAGES[-1]]))

    def _within_time(self, tests: list[str]) -> Iterator[str]:
        left_s = MOST_S
        for test in tests:
            left_s -= self._seconds.get(test, 1.0)
            if left_s < 0:
                return
            yield test


def _collected() -> set[str]:
    """The names of all tests that there are now."""
    words = ["-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    told = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True).stdout
    return {line for line in told.splitlines() if "::" in line}


def _from_many_files(tests: list[str]) -> list[str]:
    """The tests, one of each file in turn."""
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        by_file[test.partition("::")[0]].append(test)
    turns = sorted(
        ((turn, file, test) for file, own in by_file.items() for turn, test in enumerate(own)),
    )
    return [test for _, _, test in turns]


def make_map(path: Path, workers: int, tests: list[str]) -> int:
    """Run the tests once and write which test runs which line."""
    junit = path.with_suffix(".xml")
    words = ["-m", "pytest", "-q", "-n", str(workers), "-p", "no:randomly", "--cov=plivo_sim"]
    words += ["--cov-context=test", "--cov-report=", f"--junit-xml={junit}"]
    words += ["--ignore=tests/console/test_browser.py", "-o", "junit_duration_report=call", *tests]
    environment = os.environ | {"COVERAGE_FILE": str(path)}
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=environment)
    path.with_suffix(".json").write_text(json.dumps(_seconds(junit)))
    return done.returncode


def _seconds(junit: Path) -> dict[str, float]:
    """The time of each test by its name in the map."""
    from xml.etree import ElementTree

    times: dict[str, float] = {}
    for case in ElementTree.parse(junit).iter("testcase"):
        module = case.get("classname", "")
        times[f"{module.replace('.', '/')}.py::{case.get('name')}"] = float(case.get("time", 0))
    return times


class Trial:
    """Tries faults in one copy of the checkout."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._passes: dict[str, bool] = {}  # without a fault, of the tests that failed with one

    def result(self, fault: Fault, tests: list[str]) -> str:
        """``noticed``, ``survived``, ``hangs`` or ``never run``."""
        result = "never run"
        for first, end in pairwise(STAGES):
            if tests[first:end]:
                result = self._result_of(fault, tests[first:end])
            if result not in LEFT:
                break
        return result

    def _result_of(self, fault: Fault, tests: list[str]) -> str:
        while tests:
            whole = spoil(self._root, fault)
            try:
                failed = self._failed(tests)
            except TimeoutError:
                return "hangs"
            finally:
                (self._root / fault.file).write_text(whole, "utf-8")
            if failed is None:
                return "survived"
            if failed not in tests or self._passes_without(failed):
                return "noticed"
            tests = [test for test in tests if test != failed]
        return "never run"

    def _failed(self, tests: list[str]) -> str | None:
        """The first test that fails; "" if they cannot be run at all."""
        code, told = self.run(tests)
        if code in NOT_RUN:  # the fault changed the names of tests, which no test may have seen
            code, told = self.run(list(dict.fromkeys(test.partition("::")[0] for test in tests)))
        named = re.search(r"^(?:FAILED|ERROR) (\S+::.*?)(?: - .*)?$", told, re.MULTILINE)
        return None if code == 0 else named[1] if named else ""

    def _passes_without(self, test: str) -> bool:
        if test and test not in self._passes:
            self._passes[test] = self.run([test])[0] == 0
        return self._passes.get(test, True)

    def run(self, tests: list[str]) -> tuple[int, str]:
        """pytest's exit code, and what it printed."""
        with tempfile.TemporaryFile("w+", errors="replace") as told:
            child = os.fork()
            if child == 0:
                _become_pytest(self._root, tests, told.fileno())
            code = _ended(child)
            told.seek(0)
            return code, told.read()


def _become_pytest(root: Path, tests: list[str], output: int) -> NoReturn:
    """In a child process: run the tests of a copy, with the libraries that are loaded already."""
    code = 3
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(root)
        sys.path[:] = [str(root), *(each for each in sys.path if each != str(ROOT))]
        os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(root)}
        sys.dont_write_bytecode = True
        words = ["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
        words += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        code = int(pytest.main([*words, *tests]))
        sys.stdout.flush()
    except BaseException:  # nothing of the parent process may run in this one
        traceback.print_exc()
    finally:
        os._exit(code)


def _ended(child: int) -> int:
    """The exit code of a child with a session of its own, which is ended with it."""
    deadline = time.monotonic() + LIMIT_S
    try:
        while True:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.05)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


def _try_all(root: Path, faults: list[tuple[int, Fault, list[str]]]) -> list[tuple[int, str]]:
    """What became of each; in a process of its own."""
    for name in LIBRARIES:
        importlib.import_module(name)
    trial = Trial(root)
    code, told = trial.run(["tests/domain"])
    if code:
        raise RuntimeError(f"the tests cannot be run without a fault:\n{told}")
    results = []
    for number, fault, tests in faults:
        how = trial.result(fault, tests)
        results.append((number, how))
        print(_told(fault, how) if how in LEFT else ".", flush=True, file=sys.stderr)
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--map", type=Path, help="run the suite and write the map here")
    parser.add_argument("--from", dest="maps", type=Path, nargs="+", help="maps that were written")
    parser.add_argument("--again", type=Path, help="only the faults of a file that --out wrote")
    parser.add_argument("tests", nargs="*", help="with --map: only these")
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="where to write the faults that survived, as JSON")
    asked = parser.parse_args()
    if asked.map is not None:
        return make_map(asked.map.resolve(), asked.workers, asked.tests)
    tests = Map([path.resolve() for path in asked.maps])
    faults = found_again(asked.again) if asked.again else chosen(asked.seed, asked.faults)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(asked.workers) as pool:
        work = list(zip(range(len(faults)), faults, map(tests.tests, faults), strict=True))
        tried = []
        for n in range(asked.workers):
            root = Path(folder) / str(n)
            kept_out = shutil.ignore_patterns(".git", ".venv", "node_modules", "*.coverage")
            shutil.copytree(ROOT, root, ignore=kept_out, symlinks=True)
            tried.append(pool.submit(_try_all, root, work[n :: asked.workers]))
        results = [
            (faults[number], how)
            for number, how in sorted(pair for each in tried for pair in each.result())
        ]
    report(results, time.monotonic() - began)
    if asked.out is not None:
        left = [asdict(fault) | {"result": how} for fault, how in results if how in LEFT]
        asked.out.write_text(json.dumps(left, indent=1))
    return 0


LEFT = ("survived", "never run")


def report(results: list[tuple[Fault, str]], took_s: float) -> None:
    """Print the table by room, then every fault that is left."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for fault, how in results:
        counts[fault.place][how] += 1
        counts["all"][how] += 1
    print("| room | faults | noticed | survived | never run |\n|---|---|---|---|---|")
    for place in (*PLACES, "all"):
        of = counts[place]
        noticed = of["noticed"] + of["hangs"]
        print(f"| {place} | {of.total()} | {noticed} | {of['survived']} | {of['never run']} |")
    print(f"\nin {took_s:.0f} s\n")
    for fault, how in results:
        if how in LEFT:
            print(_told(fault, how))


def _told(fault: Fault, how: str) -> str:
    return f"{fault.file}:{fault.line}: {fault.before!r} -> {fault.after!r} ({how})"


if __name__ == "__main__":
    sys.exit(main())
