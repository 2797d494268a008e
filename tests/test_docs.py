"""Everything that a user or an author meets has its words, and they are true."""

import ast
import importlib
import inspect
import re
import textwrap
from pathlib import Path

import msgspec
import pytest

from pyrite.kit.config.table import bare
from pyrite.server.catalogue import Installed
from pyrite.server.hosts import find_module
from pyrite.server.module import Module
from pyrite.server.settings import tables

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
PAPERS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted(Installed(plugins=False))
MAX_LINES = {"src": 400, "tests": 600}  # a table of cases is one thing to read
GENERATED = (  # by `make docs`
    "docs/reference/",
    "docs/explanation/architecture.md",
    "docs/explanation/security.md",
    "docs/changelog.md",
)

EXAMPLE = re.compile(r"^`(?P<path>\S+)`\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)(?P<path>[^)#]+)(?:#[^)]*)?\)")


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def has_words(text: str | None) -> bool:
    return bool(text and len(text.strip()) >= 8)


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_a_file_opens_with_its_job(path: Path) -> None:
    text = path.read_text()
    assert not text.strip() or has_words(ast.get_docstring(ast.parse(text)))


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=short)
def test_a_file_is_short_enough_to_know(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES[path.relative_to(ROOT).parts[0]]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_does(name: str) -> None:
    kind = find_module(name)
    assert issubclass(kind, Module)
    assert has_words(kind.__doc__)
    assert kind.spec.number
    assert kind.spec.version


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_a_story(name: str) -> None:
    stories = list((ROOT / "tests" / "script").glob(f"{name}*.xmpp"))
    assert stories, f"no tests/script/{name}.xmpp"


@pytest.mark.parametrize(
    ("heading", "table"),
    [pytest.param(h, t, id=h or "server") for h, t in tables(Installed(plugins=False))],
)
def test_a_setting_says_what_it_does(heading: str, table: type[msgspec.Struct]) -> None:
    assert has_words(table.__doc__)
    told = field_words(table)
    for field in msgspec.structs.fields(table):
        kind = bare(field.type)
        is_table = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        if field.name != "overrides" and not is_table:
            assert has_words(told.get(field.name)), f"{heading} {field.encode_name}"


def field_words(table: type) -> dict[str, str]:
    """The string that stands under each field, also those of base classes."""
    told: dict[str, str] = {}
    for kind in reversed(table.__mro__):
        if not kind.__module__.startswith("pyrite."):
            continue
        source = inspect.getsource(importlib.import_module(kind.__module__))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
                told.update(_words_below(node))
    return told


def _words_below(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, words in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(words, ast.Expr)
            and isinstance(words.value, ast.Constant)
            and isinstance(words.value.value, str)
        ):
            found[field.target.id] = words.value.value
    return found


def marked(path: Path) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The commands in a file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                call = decorator.func if isinstance(decorator, ast.Call) else decorator
                if isinstance(call, ast.Name) and call.id == "command":
                    found.append((node.name, node))
    return found


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(node, id=name)
        for path in SOURCES
        if short(path).startswith("src/pyrite/server")
        for name, node in marked(path)
    ],
)
def test_a_command_has_its_help(node: ast.FunctionDef) -> None:
    assert has_words(ast.get_docstring(node))


@pytest.mark.parametrize("paper", PAPERS, ids=short)
def test_examples_stand_where_they_say(paper: Path) -> None:
    for example in EXAMPLE.finditer(paper.read_text()):
        path = ROOT / example["path"]
        wanted = [line.strip() for line in example["text"].splitlines()]
        there = [line.strip() for line in path.read_text().splitlines()]
        starts = range(len(there) - len(wanted) + 1)
        assert any(there[at : at + len(wanted)] == wanted for at in starts), (
            f"{short(paper)}: not in {example['path']}:\n" + textwrap.indent(example["text"], "  ")
        )


@pytest.mark.parametrize("paper", PAPERS, ids=short)
def test_links_lead_somewhere(paper: Path) -> None:
    for link in LINK.finditer(paper.read_text()):
        target = (paper.parent / link["path"]).resolve()
        if short(paper).startswith(GENERATED) or short(target).startswith(GENERATED):
            continue
        assert target.exists(), f"{short(paper)}: {link['path']}"


def test_doors_of_a_module_are_described() -> None:
    """Each decorator that marks a handler is in ARCHITECTURE.md."""
    text = (ROOT / "src/pyrite/server/module.py").read_text()
    doors = set(re.findall(r'_mark\("(\w+)"', text)) | {"command"}
    described = (ROOT / "ARCHITECTURE.md").read_text()
    assert {door for door in doors if f"`@{door}" not in described} == set()
