"""Commands: what they take, who may run them, what they say when they do not."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from pyrite.core.jid import JID
from pyrite.kit.config import Duration, Secret
from pyrite.server.commands import (
    Caller,
    CommandError,
    Commands,
    UsageError,
    command,
    encode,
)

ROMEO = JID.parse("romeo@verona.lit")


@dataclass(frozen=True)
class Shown:
    jid: JID
    secret: Secret
    idle: Duration


class Actions:
    @command(role="host-admin")
    async def account_show(self, jid: JID, *, full: bool = False) -> Shown:
        """Show an account.

        And more about it.
        """
        return Shown(jid, Secret("hunter2"), Duration(90 if full else 30))

    @command(role="admin")
    def reload(self, mode: Literal["all", "tls"] = "all") -> str:
        """Reload what changed."""
        return mode

    @command(role="user", name="who-am-i")
    def me(self, caller: Caller) -> str:
        """Say who asks."""
        return str(caller)

    @command(role="host-admin")
    def add_all(self, jids: tuple[JID, ...]) -> int:
        """Make many accounts."""
        return len(jids)


@pytest.fixture
def commands() -> Commands:
    made = Commands()
    made.add_all(Actions())
    return made


async def test_arguments_are_decoded_and_the_result_is_typed(commands: Commands) -> None:
    result = await commands.run("account-show", {"jid": "Romeo@verona.lit", "full": True})
    assert result == Shown(ROMEO, Secret("hunter2"), Duration(90))


async def test_the_encoded_result_is_plain_and_hides_secrets(commands: Commands) -> None:
    result = await commands.run("account-show", {"jid": "romeo@verona.lit"})
    assert encode(result) == {"jid": "romeo@verona.lit", "secret": "***", "idle": "30s"}


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("account-shwo", {}, "no command account-shwo; did you mean"),
        ("account-show", {}, "account-show: jid: is missing"),
        ("account-show", {"jid": "@"}, "account-show: jid: "),
        ("account-show", {"jid": "a@b", "ful": True}, 'did you mean "full"?'),
        ("account-show", {"jid": "a@b", "full": 3}, "full: expected true or false, found 3"),
        ("reload", {"mode": "tsl"}, 'expected "all" or "tls", found "tsl"; did you mean "tls"?'),
        ("add-all", {"jids": ["a@b", 3]}, "jids[1]: expected text (JID), found 3"),
    ],
)
async def test_wrong_usage_is_said(
    commands: Commands, name: str, args: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        await commands.run(name, args)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


async def test_all_that_is_wrong_is_said_at_once(commands: Commands) -> None:
    with pytest.raises(UsageError) as caught:
        await commands.run("account-show", {"full": 1, "x": 2})
    assert len(str(caught.value).splitlines()) == 3


VERONA = Caller("host-admin", JID.parse("admin@verona.lit"), "verona.lit")
USER = Caller("user", ROMEO)


@pytest.mark.parametrize(
    ("caller", "name", "args", "allowed"),
    [
        (VERONA, "account-show", {"jid": "romeo@verona.lit"}, True),
        (VERONA, "account-show", {"jid": "romeo@mantua.lit"}, False),
        (VERONA, "add-all", {"jids": ["a@verona.lit", "b@verona.lit"]}, True),
        (VERONA, "add-all", {"jids": ["a@verona.lit", "b@mantua.lit"]}, False),
        (VERONA, "add-all", {"jids": []}, False),
        (VERONA, "reload", {}, False),
        (VERONA, "who-am-i", {}, True),
        (USER, "who-am-i", {}, True),
        (USER, "account-show", {"jid": "romeo@verona.lit"}, False),
        (Caller("host-admin"), "account-show", {"jid": "romeo@verona.lit"}, False),
    ],
)
async def test_who_may_run_what(
    commands: Commands, caller: Caller, name: str, args: dict[str, object], allowed: bool
) -> None:
    if allowed:
        await commands.run(name, args, caller)
    else:
        with pytest.raises(CommandError, match="may"):
            await commands.run(name, args, caller)


async def test_a_secret_is_never_read_from_a_file_that_a_caller_names(
    commands: Commands, tmp_path: Path
) -> None:
    class Setting:
        @command()
        def password(self, secret: Secret) -> None:
            """Set it."""

    commands.add_all(Setting())
    (tmp_path / "pw").write_text("hunter2")
    with pytest.raises(UsageError, match="password: secret: expected text"):
        await commands.run("password", {"secret": {"file": str(tmp_path / "pw")}})


class Purge:
    def __init__(self, domain: str) -> None:
        self.domain = domain

    @command(role="host-admin")
    def purge(self, days: int = 7) -> str:
        """Delete what is old."""
        return f"{self.domain} {days}"


async def test_a_hosts_own_command_is_chosen_by_host(commands: Commands) -> None:
    undo = [commands.add(Purge(d).purge, host=d) for d in ("verona.lit", "mantua.lit")]
    assert await commands.run("purge", {"host": "mantua.lit", "days": 3}) == "mantua.lit 3"
    with pytest.raises(UsageError, match="one of verona"):
        await commands.run("purge")
    with pytest.raises(CommandError, match="verona"):
        await commands.run("purge", {"host": "mantua.lit"}, VERONA)
    undo[1]()
    assert await commands.run("purge", {}, VERONA) == "verona.lit 7"
    undo[0]()
    with pytest.raises(UsageError, match="no command"):
        await commands.run("purge")


def test_what_is_declared_wrongly_does_not_start(commands: Commands) -> None:
    class Wrong:
        @command()
        def silent(self) -> None: ...

        @command(role="host-admin")
        def everywhere(self) -> None:
            """Concerns no host."""

        @command()
        def reload(self) -> None:
            """Is there already."""

        def unmarked(self) -> None:
            """Is no command."""

    wrong = Wrong()
    with pytest.raises(TypeError, match="no help"):
        commands.add(wrong.silent)
    with pytest.raises(TypeError, match="which host"):
        commands.add(wrong.everywhere)
    with pytest.raises(ValueError, match="two commands"):
        commands.add(wrong.reload)
    with pytest.raises(ValueError, match="no command"):
        commands.add(wrong.unmarked)


async def test_a_caller_sees_the_commands_it_may_run(commands: Commands) -> None:
    seen = await commands.run("commands", {}, VERONA)
    assert [one["name"] for one in seen] == ["account-show", "add-all", "commands", "who-am-i"]
    assert seen[0]["help"] == "Show an account.\n\nAnd more about it."
    assert [a["name"] for a in seen[0]["arguments"]] == ["jid", "full"]
    assert [a["required"] for a in seen[0]["arguments"]] == [True, False]
