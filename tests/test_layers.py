"""Who may import whom. This table is the architecture; change it in a commit of its own."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "src" / "pyrite"

# room -> what of Pyrite it may import besides itself: a room, or one module of a room
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "wire": {"core"},
    "kit": set(),
    "store": {"kit", "core.jid"},
    "net": {"core", "kit"},
    "server": {"core", "wire", "kit", "store", "net"},
    "client": {"core", "wire", "kit", "store", "net"},
    "desktop": {"client", "core", "wire", "kit", "store"},
    "bridge": {"client", "core", "wire", "kit", "store"},
    "support": {"client", "core", "wire", "kit", "store"},
    "console": {"server.commands", "kit"},
}
#: A folder that may import more than its room, and that the rest of the room does not import.
MAY_ALSO = {"client/testing": {"server"}}
ALL = {"cli", "__init__"}  # may import everything
SANS_IO = {"core", "wire"}
IO = {
    *("asyncio", "socket", "ssl", "select", "selectors", "threading", "subprocess"),
    *("time", "logging", "random", "secrets", "uvloop", "OpenSSL"),
}
LIBRARIES = {  # all that the rooms without I/O may import from outside the standard library
    "core": {"precis_i18n", "idna"},
    "wire": set(),
}
QT = ({"PySide6", "qasync"}, {"desktop/qt", "desktop/view"})
APART = ("server/mod", "client/mod")  # folders whose modules do not import each other

FILES = sorted(ROOT.rglob("*.py"))
IDS = [path.relative_to(ROOT).as_posix() for path in FILES]


def parts(path: Path) -> tuple[str, ...]:
    """The dotted name below ``pyrite``: ``server/mod/ping.py`` gives server, mod, ping."""
    return path.relative_to(ROOT).with_suffix("").parts


def imports(path: Path) -> set[str]:
    """Absolute names of all that `path` imports, also inside functions.

    ``from ..core import jid`` gives both ``pyrite.core`` and ``pyrite.core.jid``.
    """
    package = ("pyrite", *parts(path)[:-1])
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*above, *filter(None, [node.module])))
            names.add(base)
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def of_pyrite(path: Path) -> set[str]:
    """What of Pyrite `path` imports, as dotted names below ``pyrite``."""
    return {name.removeprefix("pyrite.") for name in imports(path) if name.startswith("pyrite.")}


def is_allowed(name: str, room: str) -> bool:
    """Whether `room` may import the dotted `name`, or part of what it stands for."""
    if name.split(".")[0] == room or not (ROOT / name.split(".")[0]).exists():
        return True  # itself, or a name in pyrite/__init__.py
    allowed = MAY_IMPORT[room]
    return any(name == one or name.startswith(f"{one}.") for one in allowed) or any(
        one.startswith(f"{name}.") for one in allowed
    )


def importing(one_of: set[str]) -> list[Path]:
    return [path for path in FILES if parts(path)[0] in one_of]


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_imports_only_what_its_room_may(path: Path) -> None:
    room = parts(path)[0]
    if room in ALL:
        return
    assert room in MAY_IMPORT, f"{room} is no room of the table"
    more = also(path)
    imported = {name for name in of_pyrite(path) if name.split(".")[0] not in more}
    assert not {name for name in imported if not is_allowed(name, room)}


def also(path: Path) -> set[str]:
    """The rooms that `path` may import because of its folder."""
    name = path.relative_to(ROOT).as_posix()
    return set().union(*(rooms for at, rooms in MAY_ALSO.items() if name.startswith(f"{at}/")))


@pytest.mark.parametrize("folder", MAY_ALSO)
def test_what_may_import_more_is_not_imported_by_the_rest(folder: str) -> None:
    dotted = folder.replace("/", ".")
    room = dotted.split(".")[0]
    for path in importing({room}):
        if not path.is_relative_to(ROOT / folder):
            found = {n for n in of_pyrite(path) if n == dotted or n.startswith(f"{dotted}.")}
            assert not found, path


@pytest.mark.parametrize("path", importing(SANS_IO), ids=str)
def test_protocol_does_no_io(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & IO
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [n.lineno for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, waits)]


@pytest.mark.parametrize("path", importing(SANS_IO), ids=str)
def test_protocol_needs_few_libraries(path: Path) -> None:
    outside = {name.split(".")[0] for name in imports(path)} - sys.stdlib_module_names
    assert outside - {"pyrite"} <= LIBRARIES[parts(path)[0]]


@pytest.mark.parametrize("path", importing({"kit"}), ids=str)
def test_kit_knows_nothing_of_xmpp(path: Path) -> None:
    assert not {name for name in of_pyrite(path) if name.split(".")[0] != "kit"}


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_qt_stays_in_its_rooms(path: Path) -> None:
    libraries, rooms = QT
    if not any(path.is_relative_to(ROOT / room) for room in rooms):
        assert not {name.split(".")[0] for name in imports(path)} & libraries


@pytest.mark.parametrize("folder", APART)
def test_modules_do_not_import_each_other(folder: str) -> None:
    base = folder.replace("/", ".")
    for path in (ROOT / folder).rglob("*.py"):
        own = ".".join(parts(path)[:3])
        others = {n for n in of_pyrite(path) if n.startswith(f"{base}.") and n != base}
        assert not {n for n in others if n != own and not n.startswith(f"{own}.")}, path


def test_every_import_in_the_package_is_relative() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert (node.module or "").split(".")[0] != "pyrite", f"{path}:{node.lineno}"
