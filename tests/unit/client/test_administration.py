"""Every command of service administration, with the forms that XEP-0133 shows, and with others."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.peer import PATIENCE

from pyrite.client.mod.commands import (
    Administration,
    Call,
    CommandFailed,
    Commands,
    UserStatistics,
)
from pyrite.client.mod.commands.admin import Service
from pyrite.client.testing import MemoryServer
from pyrite.core.errors import StanzaError
from pyrite.core.jid import JID
from pyrite.core.payload import encode
from pyrite.wire import dataforms, roster
from pyrite.wire.commands import NS_ADMIN, admin_node
from pyrite.wire.dataforms import Field, Form, Value, WrongAnswers, field

JULIET, NURSE = JID.parse("juliet@shakespeare.lit"), JID.parse("nurse@shakespeare.lit")
DELAYS = [("30", "30 seconds"), ("60", "60 seconds")]
LIMITS = [("25", ""), ("50", ""), ("none", "None")]

ONE = field("accountjid", "jid-single", required=True)
SOME = field("accountjids", "jid-multi", required=True)
WORD = field("password", "text-private", required=True)
LIMIT = field("max_items", "list-single", options=LIMITS)
HALT = (field("delay", "list-single", options=DELAYS), field("announcement", "text-multi"))

#: Command -> what it asks (§4).
ASKED: dict[str, tuple[Field, ...]] = {
    "add-user": (
        *(ONE, WORD, field("password-verify", "text-private", required=True)),
        *(field(name, "text-single") for name in ("email", "given_name", "surname")),
    ),
    "delete-user": (SOME,),
    "disable-user": (SOME,),
    "reenable-user": (SOME,),
    "end-user-session": (SOME,),
    "change-user-password": (ONE, WORD),
    "get-user-roster": (SOME,),
    "get-user-lastlogin": (SOME,),
    "user-stats": (ONE,),
    "edit-blacklist": (field("blacklistjids", "jid-multi", value=(NURSE,)),),
    "edit-whitelist": (field("whitelistjids", "jid-multi", value=(NURSE,)),),
    "edit-admin": (field("adminjids", "jid-multi", value=(NURSE,)),),
    "get-registered-users-list": (LIMIT,),
    "get-disabled-users-list": (LIMIT,),
    "get-online-users-list": (LIMIT,),
    "get-active-users": (LIMIT,),
    "get-idle-users": (LIMIT,),
    "announce": (field("subject", "text-single"), field("announcement", "text-multi")),
    "set-motd": (field("motd", "text-multi", required=True),),
    "edit-motd": (field("motd", "text-multi", value=("Don't forget", "the feast")),),
    "set-welcome": (field("welcome", "text-multi", value=("Welcome",)),),
    "restart": HALT,
    "shutdown": HALT,
}
SIMPLE = ("delete-motd", "delete-welcome")
RESULTS: dict[str, tuple[Field, ...]] = {
    "get-user-lastlogin": (field("lastlogin", "text-single", value="2003-12-19T17:58:35Z"),),
    "user-stats": (
        Field("ipaddresses", values=("127.0.0.1",)),
        Field("rostersize", values=("123",)),
        Field("onlineresources", values=("work", "home")),
        Field("stanzaspersecond", values=("3",)),
        Field("loginsperminute", values=("0.1",)),
        Field("shoesize", values=("42",)),
    ),
    **{
        f"get-{which}-users-num": (Field(f"{which}usersnum", values=("123",)),)
        for which in ("registered", "disabled", "online", "active", "idle")
    },
    "get-registered-users-list": (Field("registereduserjids", values=(str(JULIET), str(NURSE))),),
    "get-disabled-users-list": (Field("disableduserjids", values=(str(NURSE),)),),
    "get-online-users-list": (Field("onlineuserjids", values=(str(JULIET),)),),
    "get-active-users": (Field("activeuserjids", values=(str(JULIET),)),),
    "get-idle-users": (Field("activeuserjids", values=(str(NURSE),)),),  # as the example has it
}
ROSTER = (roster.Item(JID.parse("romeo@example.net"), "Romeo", "both"),)

Done = list[tuple[str, dict[str, Value]]]


@asynccontextmanager
async def operating(
    asked: Mapping[str, tuple[Field, ...]] = ASKED,
) -> AsyncIterator[tuple[Service, Done]]:
    """A client that serves these commands, and an operator; what was done is in the list."""
    done: Done = []
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["server", "operator"]) as srv,
        srv.client("server", features=[Commands]) as server,
        srv.client("operator", features=[Administration]) as operator,
    ):
        for name in {*asked, *SIMPLE, *RESULTS}:
            serve(server[Commands], name, asked.get(name, ()), done)
        yield operator[Administration].at(server.jid), done


def serve(offering: Commands, name: str, asked: tuple[Field, ...], done: Done) -> None:
    @offering.offer(admin_node(name), name, allows=lambda _: True)
    async def run(call: Call) -> Form | None:
        values = await call.ask(dataforms.form(NS_ADMIN, *asked), last=True) if asked else {}
        done.append((name, {key: value for key, value in values.items() if value not in ("", ())}))
        form = dataforms.result(NS_ADMIN, *RESULTS.get(name, ()))
        if name == "get-user-roster":
            return Form("result", fields=form.fields, more=(encode(roster.Query(None, ROSTER)),))
        return form if name in RESULTS else None


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (
            lambda it: it.add_user(JULIET, "R0m30", email="j@capulet.com", given_name="Juliet"),
            ("add-user", {"accountjid": JULIET, "password": "R0m30", "password-verify": "R0m30",
                          "email": "j@capulet.com", "given_name": "Juliet"}),
        ),
        (
            lambda it: it.delete_users(JULIET, str(NURSE)),
            ("delete-user", {"accountjids": (JULIET, NURSE)}),
        ),
        (lambda it: it.disable_users(JULIET), ("disable-user", {"accountjids": (JULIET,)})),
        (lambda it: it.reenable_users(JULIET), ("reenable-user", {"accountjids": (JULIET,)})),
        (lambda it: it.end_sessions(JULIET), ("end-user-session", {"accountjids": (JULIET,)})),
        (
            lambda it: it.change_password(JULIET, "new"),
            ("change-user-password", {"accountjid": JULIET, "password": "new"}),
        ),
        (
            lambda it: it.edit_blacklist([JULIET, "evil.example"]),
            ("edit-blacklist", {"blacklistjids": (JULIET, JID.parse("evil.example"))}),
        ),
        (lambda it: it.edit_whitelist([JULIET]), ("edit-whitelist", {"whitelistjids": (JULIET,)})),
        (lambda it: it.edit_admins([JULIET]), ("edit-admin", {"adminjids": (JULIET,)})),
        (
            lambda it: it.announce("The watch\nis coming", "Night"),
            ("announce", {"subject": "Night", "announcement": ("The watch", "is coming")}),
        ),
        (lambda it: it.set_motd("One\nTwo"), ("set-motd", {"motd": ("One", "Two")})),
        (lambda it: it.edit_motd("One"), ("edit-motd", {"motd": ("One",)})),
        (lambda it: it.delete_motd(), ("delete-motd", {})),
        (lambda it: it.set_welcome("Hail"), ("set-welcome", {"welcome": ("Hail",)})),
        (lambda it: it.delete_welcome(), ("delete-welcome", {})),
        (
            lambda it: it.restart(60, "We shall be back"),
            ("restart", {"delay": "60", "announcement": ("We shall be back",)}),
        ),
        (lambda it: it.shut_down(), ("shutdown", {})),
    ],
)  # fmt: skip
async def test_what_is_told(
    ask: Callable[[Service], object], expected: tuple[str, dict[str, Value]]
) -> None:
    async with operating() as (service, done):
        await ask(service)  # type: ignore[misc]
        assert done == [expected]


async def test_what_is_asked() -> None:
    async with operating() as (it, done):
        assert await it.roster(JULIET) == ROSTER
        assert await it.last_login(JULIET) == datetime(2003, 12, 19, 17, 58, 35, tzinfo=UTC)
        assert await it.user_statistics(JULIET) == UserStatistics(
            ("127.0.0.1",), 123, ("work", "home"), Decimal(3), Decimal("0.1"), {"shoesize": "42"}
        )
        assert await it.blacklist() == await it.whitelist() == await it.admins() == (NURSE,)
        assert await it.motd() == "Don't forget\nthe feast"
        assert await it.welcome() == "Welcome"
        assert {name for name, _ in done} == {"get-user-roster", "get-user-lastlogin", "user-stats"}


async def test_numbers_and_lists() -> None:
    async with operating() as (it, done):
        for ask in (
            it.registered_count,
            it.disabled_count,
            it.online_count,
            it.active_count,
            it.idle_count,
        ):
            assert await ask() == 123
        done.clear()
        assert await it.registered() == (JULIET, NURSE)
        assert await it.disabled() == await it.idle() == (NURSE,)
        assert await it.online() == await it.active() == (JULIET,)
        assert [values for _, values in done] == [{"max_items": "none"}] * 5
        assert await it.registered(25) == (JULIET, NURSE)
        assert done[-1] == ("get-registered-users-list", {"max_items": "25"})
        with pytest.raises(WrongAnswers, match="max_items"):
            await it.registered(7)


async def test_what_does_not_fit_is_not_done() -> None:
    async with operating() as (it, done):
        with pytest.raises(WrongAnswers) as wrong:
            await it.shut_down(7)
        assert wrong.value.wrong == {"delay": "is not one of the options"}
        with pytest.raises(WrongAnswers):
            await it.set_motd("today", "with a subject")
        assert done == []


async def test_forms_that_are_otherwise() -> None:
    """ejabberd and Prosody have room for one account, and ejabberd calls all words ``body``."""
    other = {
        "delete-user": (ONE,),
        "end-user-session": (ONE,),
        "get-user-roster": (ONE,),
        "add-user": (ONE, WORD),
        "announce": (field("subject", "text-single"), field("body", "text-multi")),
        "edit-motd": (field("body", "text-multi", value=("today",)),),
    }
    async with operating(other) as (it, done):
        await it.delete_users(JULIET, NURSE)
        assert done == [
            ("delete-user", {"accountjid": JULIET}),
            ("delete-user", {"accountjid": NURSE}),
        ]
        done.clear()
        assert await it.roster(JULIET) == ROSTER
        await it.add_user(JULIET, "R0m30")
        await it.announce("hear", "Night")
        assert [values for _, values in done] == [
            {"accountjid": JULIET},
            {"accountjid": JULIET, "password": "R0m30"},
            {"subject": "Night", "body": ("hear",)},
        ]
        assert await it.motd() == "today"


async def test_how_it_fails() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        MemoryServer(["server", "operator"]) as srv,
        srv.client("server", features=[Commands]) as server,
        srv.client("operator", features=[Administration]) as operator,
    ):
        it = operator[Administration].at(str(server.jid))

        @server[Commands].offer(admin_node("delete-motd"), "m", allows=lambda _: True)
        async def fail(_: Call) -> None:
            raise CommandFailed("there is none")

        @server[Commands].offer(admin_node("restart"), "r")
        async def restart(_: Call) -> None:
            return None

        @server[Commands].offer(admin_node("get-online-users-num"), "n", allows=lambda _: True)
        async def count(_: Call) -> Form:
            return dataforms.result(NS_ADMIN, Field("onlineusersnum", values=("many",)))

        with pytest.raises(CommandFailed, match="there is none"):
            await it.delete_motd()
        for ask, condition in (
            (it.restart, "forbidden"),
            (it.shut_down, "item-not-found"),
            (it.online_count, "undefined-condition"),
        ):
            with pytest.raises(StanzaError) as refused:
                await ask()
            assert refused.value.condition == condition


async def test_our_own_server_by_default() -> None:
    async with MemoryServer(["romeo"]) as srv, srv.client("romeo") as romeo:
        assert romeo[Administration].at().jid == JID.parse("example.org")


@pytest.mark.parametrize("name", sorted({*ASKED, *RESULTS}))
def test_these_forms_are_as_they_are_registered(name: str) -> None:
    """XEP-0068 §5; what was added here on purpose aside."""
    made = dataforms.form(NS_ADMIN, *ASKED.get(name, ()), *RESULTS.get(name, ()))
    odd = dataforms.irregular(made)
    assert set(odd) <= {"subject", "delay", "shoesize"}, odd
