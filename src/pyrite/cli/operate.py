"""What an operator does with a running server."""

from __future__ import annotations

import json
from typing import Any

from .call import Where, call, show
from .failure import USAGE, Failure

HERE = Where()


def hosts(*, where: Where = HERE) -> None:
    """List the served domains."""
    show(call("host-list", where), where)


def sessions(*, host: str | None = None, where: Where = HERE) -> None:
    """List the clients that are connected.

    Parameters
    ----------
    host
        Only those of this domain.
    """
    show(call("sessions-list", where, offline=False, host=host), where)


def end(jid: str, /, *, where: Where = HERE) -> None:
    """End a session, or all of an account if no resource is given."""
    show(call("sessions-end", where, offline=False, jid=jid), where)


def modules(*, host: str | None = None, where: Where = HERE) -> None:
    """List the modules that there are, and the hosts that each is loaded on.

    Parameters
    ----------
    host
        Only what this domain has.
    """
    show(call("module-list", where, host=host), where)


def load(name: str, /, *, host: str, where: Where = HERE) -> None:
    """Load a module on a host, until the server stops or it is unloaded.

    Parameters
    ----------
    host
        The served domain.
    """
    show(call("module-load", where, offline=False, name=name, host=host), where)


def unload(name: str, /, *, host: str, where: Where = HERE) -> None:
    """Unload a module from a host, until the server starts again.

    Parameters
    ----------
    host
        The served domain.
    """
    show(call("module-unload", where, offline=False, name=name, host=host), where)


def reload(*, where: Where = HERE) -> None:
    """Let the server read its settings and certificates again; prints what has changed."""
    show(call("reload", where, offline=False), where)


def settings(*, where: Where = HERE) -> None:
    """Show the settings that are in force, as JSON; secrets are hidden."""
    show(call("settings-show", where), Where(where.config, json=True))


def live(*, where: Where = HERE) -> None:
    """List the settings that may be changed while the server runs."""
    show(call("settings-live", where), where)


def set_setting(key: str, value: str, /, *, where: Where = HERE) -> None:
    """Change a setting from now on, whatever the file says.

    Parameters
    ----------
    key
        As in the file: limits.ping-after, or host."example.org".registration.
    value
        Text as it is, or JSON for a number, a list, true or false.
    """
    show(call("settings-set", where, key=key, value=_plain(value)), where)


def unset(key: str, /, *, where: Where = HERE) -> None:
    """Let the file decide again about a setting that was changed.

    Parameters
    ----------
    key
        As in the file.
    """
    show(call("settings-unset", where, key=key), where)


def metrics(*, where: Where = HERE) -> None:
    """Show what the server counts and times."""
    show(call("metrics", where, offline=False), where)


def status(*, where: Where = HERE) -> None:
    """Show since when the server runs, and how many are connected."""
    show(call("status", where, offline=False), where)


def log_level(level: str, logger: str = "pyrite", /, *, where: Where = HERE) -> None:
    """Let the running server log more or less.

    Parameters
    ----------
    level
        debug, info, warning or error.
    logger
        Only for this logger and what is below it.
    """
    show(call("log-level", where, offline=False, level=level, logger=logger), where)


def command(name: str | None = None, /, *args: str, where: Where = HERE) -> None:
    """Run any command of the server, its modules' included; without a name, list them.

    Parameters
    ----------
    name
        The command.
    args
        Its arguments: key=text, or key:=JSON for numbers, lists, true and false.
    """
    if name is None:
        found = call("commands", where)
        show(found if where.json else [_summary(one) for one in found], where)
    else:
        show(call(name, where, **dict(map(_argument, args))), where)


def _summary(one: dict[str, Any]) -> dict[str, str]:
    marks = (a["name"] if a["required"] else f"[{a['name']}]" for a in one["arguments"])
    return {"command": f"{one['name']} {' '.join(marks)}", "does": one["help"].splitlines()[0]}


def _argument(word: str) -> tuple[str, Any]:
    key, equals, value = word.partition("=")
    if not equals or not key.strip(":"):
        raise Failure(f"{word}: write key=text, or key:=JSON", USAGE)
    if not key.endswith(":"):
        return key, value
    try:
        return key[:-1], json.loads(value)
    except ValueError:
        raise Failure(f"{word}: what is behind := is not JSON", USAGE) from None


def _plain(value: str) -> Any:
    """What JSON makes of it, unless that is no setting's type: then the text itself."""
    try:
        made = json.loads(value)
    except ValueError:
        return value
    return made if isinstance(made, bool | int | float | list) else value
