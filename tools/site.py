"""Writes the pages of the site that are made of something else; `make docs` runs it.

The papers of the repository are pages too, and the code says which specifications there are.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import shutil
from collections.abc import Iterator
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
HEAD = """# Specifications

What the server implements, in which version, and where. What is in `mod/` is a module, and can be
left out of a host (`modules` in its [settings](settings.md)).

| specification | version | title | in |
|---|---|---|---|
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
    Spec("XEP-0106", "1.1.1", "JID Escaping"),
    Spec("XEP-0175", "1.2", "Best Practices for Use of SASL ANONYMOUS"),
    Spec("XEP-0178", "1.2", "Best Practices for Use of SASL EXTERNAL with Certificates"),
    Spec("XEP-0368", "1.1.0", "SRV records for XMPP over TLS (ALPN, direct TLS)"),
    Spec("draft-schmaus-kitten-sasl-ht", "09", "The Hashed Token SASL Mechanism"),
    Spec("XEP-0474", "0.5.0", "SASL SCRAM Downgrade Protection"),
)


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
    users = users_of_wire()
    for found in pkgutil.iter_modules(wire.__path__):
        if found.name in users:
            where = ", ".join(f"`{name}`" for name in sorted(users[found.name]))
            module = importlib.import_module(f"{wire.__name__}.{found.name}")
            yield from ((one, where) for one in vars(module).values() if isinstance(one, Spec))


def users_of_wire() -> dict[str, set[str]]:
    """A file of `wire` -> the files of the server that import it."""
    users: dict[str, set[str]] = {}
    server = ROOT / "src" / "pyrite" / "server"
    for path in server.rglob("*.py"):
        name = path.relative_to(server).with_suffix("").as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                room, _, inner = node.module.partition(".")
                if room == "wire":
                    for wanted in [inner] if inner else [alias.name for alias in node.names]:
                        users.setdefault(wanted, set()).add(name)
    return users


def main() -> None:
    write(DOCS / "reference")
    rows = sorted({(tuple(spec), where) for spec, where in specifications()})
    lines = (f"| {' | '.join((*spec, where))} |\n" for spec, where in rows)
    (DOCS / "reference" / "specifications.md").write_text(HEAD + "".join(lines))
    for paper, page in PAPERS.items():
        shutil.copyfile(ROOT / paper, DOCS / page)


if __name__ == "__main__":
    main()
