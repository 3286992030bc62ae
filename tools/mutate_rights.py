"""Take one check after the other out of the code that decides who may do what, and see whether a test fails.

Works on copies of what is committed, never on the checkout; prints each mutant that no test noticed.
`--only` chooses files by a part of their name, `--at` another commit than the last, `--list` shows the mutants, `--jobs` runs several at once.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = Path("src/mailwright")
RIGHTS = (
    "authz.py",
    "resources/rights.py",
    "resources/limits.py",
    "resources/grants.py",
    "tokens.py",
    "http/tokens.py",
)
CALLERS = (
    "resources/operations.py",
    "resources/listing.py",
    "resources/bulk.py",
    "resources/verifying.py",
    "resources/user.py",
    "resources/domain.py",
)
ROUTES = "http/routes.py"
MATRIX = "tests/authorization"
TOKENS = "tests/api/test_tokens.py"
RIGHTS_TESTS = "tests/api/test_rights.py"
LIMITS = "tests/authorization/test_handed_out.py"
TESTS = (LIMITS, MATRIX, RIGHTS_TESTS, TOKENS, "tests/ownership/test_waiting.py")
# What most likely notices comes first.
FIRST = {
    "tokens.py": TOKENS,
    "http/tokens.py": TOKENS,
    "resources/limits.py": LIMITS,
    "resources/grants.py": RIGHTS_TESTS,
}
CHOSEN = "not postgresql and not mariadb and not openldap and not same_time"
SECONDS = 600
IN_MEMORY = (
    "pytest",
    "_pytest.assertion.rewrite",
    "falcon.testing",
    "msgspec",
    "psycopg",
    "pymysql",
    "bcrypt",
    "argon2",
    "click",
    "prometheus_client",
    "idna",
    "ldap.controls",
)
OPPOSITE = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
# What a question to `rights` gives when nobody is stopped.
PERMISSIVE = {
    "closed_profiles": "frozenset()",
    "admins_in_reach": "None",
    "permit_domains": "rights.Bounds(None, None)",
    "manages": "True",
    "may_create_domains": "True",
}


@dataclass(frozen=True)
class Mutant:
    """One piece of a file, and what stands there instead."""

    file: str
    start: int
    end: int
    text: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.what}"


class Finder:
    """The mutants of one file."""

    def __init__(self, file: str, at: str) -> None:
        self.file = file
        self.source = subprocess.run(
            ["git", "show", f"{at}:{SOURCE / file}"], cwd=ROOT, stdout=subprocess.PIPE, check=True
        ).stdout
        self.tree = ast.parse(self.source)
        starts = [0]
        for line in self.source.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        self._starts = starts

    def text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self.source[start:end].decode()

    def all(self) -> Iterator[Mutant]:
        if self.file == ROUTES:
            yield from self._actions(self.tree)
        elif self.file in CALLERS:
            yield from self._calls()
        else:
            yield from self._logic()

    def _span(self, node: ast.AST) -> tuple[int, int]:
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[node.end_lineno - 1] + node.end_col_offset

    def _instead(self, node: ast.AST, text: str) -> Mutant:
        start, end = self._span(node)
        was = " ".join(self.text(node).split())
        return Mutant(self.file, start, end, text, node.lineno, f"{was[:90]}  ->  {text[:90]}")

    def _actions(self, tree: ast.AST) -> Iterator[Mutant]:
        """Another action than the declared one."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and _dotted(node.value) == "Action":
                yield self._instead(node, "Action.VIEW" if node.attr != "VIEW" else "Action.UPDATE")

    def _calls(self) -> Iterator[Mutant]:
        """Every call of `rights` and `limits` without effect, and with another action."""
        statements = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call):
                continue
            module, _, name = _dotted(node.func).rpartition(".")
            if module not in {"rights", "limits"}:
                continue
            if id(node) in statements:
                yield self._instead(node, "None")
            elif name in PERMISSIVE:
                yield self._instead(node, PERMISSIVE[name])
            elif name == "open_fields":
                yield self._instead(node, f"tuple({self.text(node.args[0])})")
            yield from self._actions(node)
        yield from self._conditions_of_roles()

    def _conditions_of_roles(self) -> Iterator[Mutant]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Compare) and "Role." in self.text(node):
                yield from self._comparison(node)

    def _logic(self) -> Iterator[Mutant]:
        """One check less, one condition the other way round, one member less, another comparison."""
        for node in ast.walk(self.tree):
            match node:
                case ast.Expr(value=ast.Call()) | ast.Raise():
                    yield self._instead(node, "pass")
                case ast.If(test=condition) | ast.IfExp(test=condition):
                    yield from self._negated(condition)
                case ast.comprehension(ifs=[condition, *_]):
                    yield from self._negated(condition)
                case ast.Return(value=ast.expr() as value) if value in self._decisions:
                    yield from self._negated(value)
                case ast.BoolOp():
                    yield from self._without_each(node, node.values)
                case ast.Set(elts=elements) if len(elements) > 1:
                    yield from self._without_each(node, elements)
                case ast.Compare():
                    yield from self._comparison(node)
                case ast.UnaryOp(op=ast.Not()):
                    yield self._instead(node, f"bool({self.text(node.operand)})")

    @cached_property
    def _decisions(self) -> set[ast.expr]:
        """What functions return that answer yes or no."""
        return {
            inner.value
            for node in ast.walk(self.tree)
            if isinstance(node, ast.FunctionDef) and _dotted(node.returns) == "bool"
            for inner in ast.walk(node)
            if isinstance(inner, ast.Return) and inner.value is not None
        }

    def _negated(self, condition: ast.expr) -> Iterator[Mutant]:
        """The other way round, where that is not what another comparison or no `not` gives anyway."""
        match condition:
            case ast.UnaryOp(op=ast.Not()):
                return
            case ast.Compare(ops=[ast.Eq() | ast.NotEq() | ast.In() | ast.NotIn()]):
                return
            case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
                return
        yield self._instead(condition, f"(not ({self.text(condition)}))")

    def _without_each(
        self, node: ast.BoolOp | ast.Set, members: list[ast.expr]
    ) -> Iterator[Mutant]:
        for left_out in members:
            texts = [f"({self.text(each)})" for each in members if each is not left_out]
            if isinstance(node, ast.Set):
                text = "{" + ", ".join(texts) + "}"
            else:
                text = "(" + (" and " if isinstance(node.op, ast.And) else " or ").join(texts) + ")"
            start, end = self._span(node)
            what = f"without  {' '.join(self.text(left_out).split())[:90]}"
            yield Mutant(self.file, start, end, text, left_out.lineno, what)

    def _comparison(self, node: ast.Compare) -> Iterator[Mutant]:
        for place, operator in enumerate(node.ops):
            changed = copy.deepcopy(node)
            changed.ops[place] = OPPOSITE[type(operator)]()
            yield self._instead(node, f"({ast.unparse(changed)})")


def _dotted(node: ast.AST | None) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value)}.{name}"
        case _:
            return ""


class Laboratory:
    """Copies of the tree, one for each that works at the same time.

    Every mutant has a process of its own, forked from this one, which has what never changes in memory.
    """

    def __init__(self, at: str, jobs: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mailwright-mutants-"))
        self._free = [self.folder / str(number) for number in range(jobs)]
        self._busy: dict[int, tuple[Path, Mutant, bytes, os.stat_result]] = {}
        tree = self._free[0]
        tree.mkdir()
        archive = subprocess.run(
            ["git", "archive", at], cwd=ROOT, stdout=subprocess.PIPE, check=True
        ).stdout
        subprocess.run(["tar", "-x"], cwd=tree, input=archive, check=True)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # most of a start is theirs
        for name in IN_MEMORY:
            with contextlib.suppress(ModuleNotFoundError):
                importlib.import_module(name)

    def passes(self) -> bool:
        """Whether the tests pass as they are; leaves compiled code for the runs to come."""
        first, *others = self._free
        _, status = os.waitpid(_start(first, TESTS, may_write=True), 0)
        for tree in others:
            shutil.copytree(first, tree)
        return status == 0

    def survivors(self, mutants: Sequence[Mutant]) -> Iterator[Mutant]:
        """Those that no test noticed, as they are found."""
        waiting = list(reversed(mutants))
        while waiting or self._busy:
            if len(waiting) % 25 == 0:
                print(f"{len(waiting)} left", file=sys.stderr, flush=True)
            while waiting and self._free:
                self._try(self._free.pop(), waiting.pop())
            pid, status = os.wait()
            tree, mutant, source, stat = self._busy.pop(pid)
            path = tree / SOURCE / mutant.file
            path.write_bytes(source)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # what is compiled holds again
            self._free.append(tree)
            if status == 0:
                yield mutant

    def _try(self, tree: Path, mutant: Mutant) -> None:
        path = tree / SOURCE / mutant.file
        source, stat = path.read_bytes(), path.stat()
        path.write_bytes(source[: mutant.start] + mutant.text.encode() + source[mutant.end :])
        first = FIRST.get(mutant.file, MATRIX)
        tests = sorted(TESTS, key=lambda each: each != first)
        self._busy[_start(tree, tests, may_write=False)] = tree, mutant, source, stat

    def close(self) -> None:
        shutil.rmtree(self.folder)


def _start(tree: Path, tests: Sequence[str], *, may_write: bool) -> int:
    """Run the tests of a tree in a child; its process id."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    signal.alarm(SECONDS)  # what never ends is noticed, too
    os.chdir(tree)
    sys.path[:0] = [str(tree / "src"), str(tree)]
    os.environ["PYTHONPATH"] = str(tree / "src")
    sys.dont_write_bytecode = not may_write
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    import pytest

    there = [each for each in tests if (tree / each).exists()]
    code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-k", CHOSEN, *there])
    os._exit(int(code))


def main() -> int:
    """Zero if a test noticed every mutant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--at", default="HEAD")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    files = [
        file
        for file in (*RIGHTS, *CALLERS, ROUTES)
        if not options.only or any(part in file for part in options.only)
    ]
    mutants = [mutant for file in files for mutant in Finder(file, options.at).all()]
    if options.list:
        print(*mutants, f"{len(mutants)} mutants", sep="\n")
        return 0
    laboratory = Laboratory(options.at, options.jobs)
    started = time.monotonic()
    try:
        if not laboratory.passes():
            raise SystemExit("the tests fail without any mutant")
        print(f"without a mutant they pass in {time.monotonic() - started:.0f} s", flush=True)
        survivors = 0
        for mutant in laboratory.survivors(mutants):
            survivors += 1
            print(f"SURVIVED {mutant}", flush=True)
    finally:
        laboratory.close()
    minutes = (time.monotonic() - started) / 60
    print(f"{len(mutants)} mutants, {survivors} survived, {minutes:.0f} minutes")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
