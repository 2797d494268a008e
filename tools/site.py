"""Writes the pages of the site that are made of something else; `make docs` runs it.

The papers of the repository are pages too, and the code says which specifications there are.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyrite import wire
from pyrite.cli.reference import write
from pyrite.server.catalogue import Installed
from pyrite.server.hosts import find_module
from pyrite.wire import Spec

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAPERS = {  # of the repository -> page of the site
    "ARCHITECTURE.md": "explanation/architecture.md",
    "SECURITY.md": "explanation/security.md",
    "CHANGELOG.md": "changelog.md",
}
SERVER = """# Specifications

## The server

What the server implements, in which version, and where. What is in `mod/` is a module, and can be
left out of a host (`modules` in its [settings](settings.md)).

| specification | version | title | in |
|---|---|---|---|
"""
CLIENT = """
## The client library

What a program can speak: {count} XEPs. What is a *feature* works by itself once the program has
taken it; what the *client* itself uses is in all programs. A
*payload* is typed, and so are the rules beside it: a program takes it
[from its file](../how-to/client-extend.md) in `pyrite.wire`.

| specification | version | title | as | in |
|---|---|---|---|---|
"""
ALWAYS = (  # what no file of its own stands for
    Spec("RFC 6120", "2011-03", "XMPP: Core"),
    Spec("RFC 7622", "2015-09", "XMPP: Address Format"),
    Spec("RFC 7590", "2015-06", "Use of TLS in XMPP"),
    Spec("RFC 4422", "2006-06", "SASL, appendix A: EXTERNAL"),
    Spec("RFC 4505", "2006-06", "SASL: ANONYMOUS"),
    Spec("RFC 4616", "2006-08", "SASL: PLAIN"),
    Spec("RFC 5802", "2010-07", "SCRAM"),
    Spec("RFC 7677", "2015-11", "SCRAM-SHA-256"),
    Spec("RFC 9266", "2022-07", "Channel Bindings for TLS 1.3"),
    Spec("XEP-0082", "1.1.1", "XMPP Date and Time Profiles"),
    Spec("XEP-0106", "1.1.1", "JID Escaping"),
    Spec("XEP-0175", "1.2", "Best Practices for Use of SASL ANONYMOUS"),
    Spec("XEP-0178", "1.2", "Best Practices for Use of SASL EXTERNAL with Certificates"),
    Spec("XEP-0368", "1.1.0", "SRV records for XMPP over TLS (ALPN, direct TLS)"),
    Spec("draft-schmaus-kitten-sasl-ht", "09", "The Hashed Token SASL Mechanism"),
    Spec("XEP-0474", "0.5.0", "SASL SCRAM Downgrade Protection"),
)

KINDS = ("feature", "client", "payload")  # how a program has something, the most first


def specifications() -> Iterator[tuple[Spec, str]]:
    """Each specification, and the files of the server that stand on it."""
    yield from ((spec, "") for spec in ALWAYS)
    told = list(specifications_of_wire())
    yield from told
    known = {spec for spec, _ in told}
    for name in Installed(plugins=False):
        if (spec := find_module(name).spec) not in known:
            yield spec, f"`mod/{name}`"


def specifications_of_wire() -> Iterator[tuple[Spec, str]]:
    """Those whose payloads and rules stand in `wire`, if the server makes use of them."""
    users = users_of_wire("server")
    for name, spec in specs_of_wire():
        if name in users:
            yield spec, ", ".join(f"`{user}`" for user in sorted(users[name]))


def specifications_of_client() -> Iterator[tuple[Spec, str, str]]:
    """Each specification that a program can speak, as what, and where."""
    yield from ((spec, "always", "") for spec in ALWAYS if not spec.number.startswith("RFC"))
    users = users_of_wire("client")
    found: dict[Spec, set[str]] = {}
    for name, spec in specs_of_wire():
        places = {shortened(user) for user in users.get(name, set()) - {"api"}}
        found.setdefault(spec, set()).update(places or {f"pyrite.wire.{name}"})
    for spec, places in found.items():
        kind = min(map(kind_of, places), key=KINDS.index)
        best = sorted(place for place in places if kind_of(place) == kind)
        yield spec, kind, ", ".join(f"`{place}`" for place in best)


def kind_of(place: str) -> str:
    """As what somebody gets it who takes it from there."""
    if place.startswith("mod/"):
        return "feature"
    return "payload" if place.startswith("pyrite.wire.") else "client"


def shortened(user: str) -> str:
    """A feature of several files is one."""
    return "/".join(user.split("/")[:2])


def specs_of_wire() -> Iterator[tuple[str, Spec]]:
    """The files of `wire`, and what each stands on."""
    for found in pkgutil.iter_modules(wire.__path__):
        module = importlib.import_module(f"{wire.__name__}.{found.name}")
        yield from ((found.name, one) for one in vars(module).values() if isinstance(one, Spec))


def users_of_wire(room: str) -> dict[str, set[str]]:
    """A file of `wire` -> the files of the room that import it."""
    users: dict[str, set[str]] = {}
    place = ROOT / "src" / "pyrite" / room
    for path in place.rglob("*.py"):
        name = path.relative_to(place).with_suffix("").as_posix().removesuffix("/__init__")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                top, _, inner = node.module.partition(".")
                if top == "wire":
                    wanted = [inner] if inner else [alias.name for alias in node.names]
                    for one in wanted:
                        users.setdefault(one.partition(".")[0], set()).add(name)
    return users


def count_of_xeps() -> int:
    """How many XEPs a program can speak."""
    return len({spec.number for spec, *_ in specifications_of_client() if "XEP-" in spec.number})


def table(rows: Iterable[tuple[Spec, *tuple[str, ...]]]) -> str:
    ordered = sorted({(tuple(spec), *rest) for spec, *rest in rows})
    return "".join(f"| {' | '.join((*spec, *rest))} |\n" for spec, *rest in ordered)


def main() -> None:
    write(DOCS / "reference")
    client = CLIENT.format(count=count_of_xeps()) + table(specifications_of_client())
    page = SERVER + table(specifications()) + client
    (DOCS / "reference" / "specifications.md").write_text(page)
    for paper, page in PAPERS.items():
        shutil.copyfile(ROOT / paper, DOCS / page)


if __name__ == "__main__":
    main()
