"""The words of the command line. What each does is imported only when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module

from cyclopts import App, CycloptsError

from .. import __version__
from .failure import FAILED, USAGE, Failure

GROUPS: dict[str, tuple[str, dict[str, str]]] = {  # word -> help, its words and where they are
    "account": (
        "Make, change, delete, export and import accounts.",
        {
            "add": "account:add",
            "list": "account:listed",
            "show": "account:show_",
            "password": "account:password",
            "disable": "account:disable",
            "enable": "account:enable",
            "delete": "account:delete",
            "export": "portable:export",
            "import": "portable:import_",
        },
    ),
    "host": (
        "See which domains are served, and carry their accounts elsewhere.",
        {"list": "operate:hosts", "export": "portable:export_host"},
    ),
    "invitation": (
        "Invite people to make an account.",
        {
            "create": "invitation:create",
            "list": "invitation:listed",
            "revoke": "invitation:revoke",
        },
    ),
    "client": (
        "See and end the clients of an account.",
        {"list": "client:listed", "revoke": "client:revoke"},
    ),
    "sessions": (
        "See and end what clients have open.",
        {"list": "operate:sessions", "end": "operate:end"},
    ),
    "module": (
        "See, load and unload modules.",
        {"list": "operate:modules", "load": "operate:load", "unload": "operate:unload"},
    ),
    "settings": (
        "See settings, and change those that may be while the server runs.",
        {
            "show": "operate:settings",
            "live": "operate:live",
            "set": "operate:set_setting",
            "unset": "operate:unset",
        },
    ),
    "store": ("Look after what is kept.", {"compact": "portable:compact"}),
    "docs": (
        "Write reference documentation from what the code declares.",
        {
            "settings": "reference:settings",
            "commands": "reference:commands",
            "metrics": "reference:metrics",
        },
    ),
}
WORDS: dict[str, tuple[str, str]] = {  # word -> help and where it is
    "serve": ("Run the server in the foreground.", "serve:serve"),
    "check": ("Read the settings, start nothing, and say what is wrong.", "check:check"),
    "demo": ("Run a server with accounts to try it with.", "demo:main"),
    "shell": ("Log in to an account, and look around its server.", "shell:shell"),
    "reload": ("Let the server read its settings and certificates again.", "operate:reload"),
    "metrics": ("Show what the server counts and times.", "operate:metrics"),
    "status": ("Show since when the server runs.", "operate:status"),
    "log": ("Let the running server log more or less.", "operate:log_level"),
    "command": ("Run any command of the server; without a name, list them.", "operate:command"),
}

FLAGS = ("--help", "-h", "--version")


def build(chosen: str = "") -> App:
    """The whole command line; only of the group that is chosen, commands are imported."""
    app = App(name="pyrite", help="An XMPP server.", version=__version__, help_format="plaintext")
    for word, (text, place) in WORDS.items():
        app.command(f"{__package__}.{place}", name=word, help=text)
    for word, (text, places) in GROUPS.items():
        group = App(name=word, help=text)
        for inner, place in places.items() if word == chosen else ():
            group.command(_function(place), name=inner)
        app.command(group)
    return app


def run(words: Sequence[str]) -> int:
    """Do what the words say; the exit code."""
    try:
        _check(words)
        app = build(words[0] if words else "")
        result = app(
            list(words), exit_on_error=False, print_error=False, result_action="return_value"
        )
    except Failure as failure:
        return _fail(str(failure), failure.code)
    except CycloptsError as error:
        return _fail(f"{error}\nTry: pyrite {' '.join(_command(words))} --help", USAGE)
    except BrokenPipeError:  # whoever read our output has enough
        sys.stdout = None
        return FAILED
    return result if isinstance(result, int) else 0


def main() -> None:
    """The program `pyrite`."""
    try:
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(text: str, code: int) -> int:
    print(text if code == USAGE else f"pyrite: {text}", file=sys.stderr)
    return code


def _check(words: Sequence[str]) -> None:
    """Raises `Failure` if the first words are no command; cheaper than to import them all."""
    known: Iterable[str] = (*WORDS, *GROUPS, *FLAGS)
    for word in words[:2]:
        if word not in known:
            raise Failure(_unknown(word, known), USAGE)
        if word not in GROUPS:
            return
        known = (*GROUPS[word][1], *FLAGS)


def _unknown(word: str, known: Iterable[str]) -> str:
    from ..kit.config.mistakes import meant, nearest

    return f'there is no command "{word}"{meant(nearest(word, known))}\nTry: pyrite --help'


def _function(place: str) -> Callable[..., object]:
    module, _, name = place.partition(":")
    function: Callable[..., object] = getattr(import_module(f"{__package__}.{module}"), name)
    return function


def _command(words: Sequence[str]) -> list[str]:
    """The words that name the command."""
    return [word for word in words[: 2 if words[0] in GROUPS else 1] if not word.startswith("-")]


if __name__ == "__main__":
    main()
