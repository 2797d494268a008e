"""Accounts on the command line, whether or not the server runs."""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Annotated

from cyclopts import Parameter

from .call import Where, call, show
from .failure import USAGE, Failure

MAX_PASSWORD = 4096  # octets of a line on standard input
PAGE = 1000  # accounts that are asked for at a time

Stdin = Annotated[bool, Parameter(negative="", help="Read the password as one line.")]
HERE = Where()


def add(jid: str, /, *, password_stdin: Stdin = False, where: Where = HERE) -> None:
    """Make an account.

    Without --password-stdin it asks for the password.

    Parameters
    ----------
    jid
        The address, as romeo@example.org.
    """
    show(call("account-add", where, jid=jid, password=_password(password_stdin)), where)


def listed(*, host: str | None = None, where: Where = HERE) -> None:
    """List accounts.

    Parameters
    ----------
    host
        Only those of this domain.
    """
    found: list[str] = []
    while page := call(
        "account-list", where, host=host, after=found[-1] if found else None, limit=PAGE
    ):
        found += page
        if len(page) < PAGE:
            break
    show(found, where)


def show_(jid: str, /, *, where: Where = HERE) -> None:
    """Show what is known of an account."""
    show(call("account-show", where, jid=jid), where)


def password(jid: str, /, *, password_stdin: Stdin = False, where: Where = HERE) -> None:
    """Set the password of an account.

    Without --password-stdin it asks for the password.
    """
    show(call("account-password", where, jid=jid, password=_password(password_stdin)), where)


def disable(jid: str, /, *, where: Where = HERE) -> None:
    """Let nobody log in to an account; nothing of it is lost."""
    show(call("account-disable", where, jid=jid), where)


def enable(jid: str, /, *, where: Where = HERE) -> None:
    """Let the owner of a disabled account log in again."""
    show(call("account-enable", where, jid=jid), where)


def delete(jid: str, /, *, where: Where = HERE) -> None:
    """Delete an account and all that is kept for it, and print what that was."""
    show(call("account-delete", where, jid=jid), where)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return _line()
    if not sys.stdin.isatty():
        raise Failure("no password: write it on standard input with --password-stdin", USAGE)
    first = getpass("Password: ")
    if first != getpass("Once more: "):
        raise Failure("the two passwords differ")
    return first


def _line() -> str:
    octets = sys.stdin.buffer.readline(MAX_PASSWORD + 1)  # whatever the locale is
    line = octets.removesuffix(b"\n").removesuffix(b"\r")
    if not line:
        raise Failure("no password came on standard input", USAGE)
    if len(octets) > MAX_PASSWORD:
        raise Failure("the password is too long", USAGE)
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise Failure("the password is not UTF-8", USAGE) from None
