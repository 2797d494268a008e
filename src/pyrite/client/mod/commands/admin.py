"""What an operator tells a server to do, by name (XEP-0133).

admin = me[Administration].at("example.org")
await admin.add_user("juliet@example.org", "secret")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import TYPE_CHECKING

from ....core.errors import StanzaError
from ....core.frozen import frozen
from ....core.jid import JID, JIDError
from ....core.values import read_datetime
from ....wire import commands, roster
from ....wire.dataforms import Form, Value, answers
from ...feature import Feature
from .running import CommandFailed, Running

if TYPE_CHECKING:
    from ...entity import Entity

Who = JID | str

#: What a field is called by servers that do not call it as the registry does.
OTHERWISE: dict[str, tuple[str, ...]] = {
    "accountjids": ("accountjid",),  # COMPAT: ejabberd, Prosody: for one account at a time
    "accountjid": ("accountjids",),
    "announcement": ("body",),  # COMPAT: ejabberd
    "motd": ("body",),  # COMPAT: ejabberd
    "welcome": ("body",),
}
UNLIMITED = ("none", "all")  # values of ``max_items``


@frozen
class UserStatistics:
    """What a server tells of one account, as far as it does; `more` is what only it knows."""

    addresses: tuple[str, ...] = ()
    roster_size: int | None = None
    resources: tuple[str, ...] = ()
    stanzas_per_second: Decimal | None = None
    logins_per_minute: Decimal | None = None
    more: Mapping[str, Value] = field(default_factory=dict)


class Administration(Feature):
    """The commands of service administration, by name."""

    spec = commands.SPEC_ADMINISTRATION

    def at(self, service: Who | None = None) -> Service:
        """Those of a server, or of one of its services; by default, of our own server."""
        own = JID(None, self.client.jid.domain)
        found = JID.parse(service) if isinstance(service, str) else service
        return Service(self.client, found or own)


class Service:
    """One server, or service, and what an operator can tell it.

    Each raises `StanzaError`: ``forbidden`` for who is no operator, ``service-unavailable`` or
    ``item-not-found`` for a command that the service does not have, `WrongAnswers` for what its
    form does not take; and `CommandFailed` with its words, where it could not be done.
    """

    def __init__(self, client: Entity, jid: JID) -> None:
        self.jid, self._client = jid, client

    # --- accounts --------------------------------------------------------------------

    async def add_user(
        self,
        jid: Who,
        password: str,
        *,
        email: str | None = None,
        given_name: str | None = None,
        surname: str | None = None,
    ) -> None:
        """Make an account (§4.1)."""
        told = {"email": email, "given_name": given_name, "surname": surname}
        given: dict[str, Value] = {key: value for key, value in told.items() if value is not None}
        both = {"password": password, "password-verify": password}
        await self._do("add-user", {"accountjid": _jid(jid), **both, **given}, "password-verify")

    async def delete_users(self, *jids: Who) -> None:
        """Delete accounts (§4.2)."""
        await self._each("delete-user", jids)

    async def disable_users(self, *jids: Who) -> None:
        """Let nobody log in with these accounts for a while (§4.3)."""
        await self._each("disable-user", jids)

    async def reenable_users(self, *jids: Who) -> None:
        """Let them log in again (§4.4)."""
        await self._each("reenable-user", jids)

    async def end_sessions(self, *jids: Who) -> None:
        """End the sessions of accounts (bare), or single ones (full) (§4.5)."""
        await self._each("end-user-session", jids)

    async def change_password(self, jid: Who, password: str) -> None:
        """Give an account another password (§4.7)."""
        both = {"password": password, "password-verify": password}
        values: dict[str, Value] = {"accountjid": _jid(jid), **both}
        await self._do("change-user-password", values, "password-verify")

    async def roster(self, jid: Who) -> tuple[roster.Item, ...]:
        """The contacts of an account (§4.8)."""
        done = await self._do("get-user-roster", {"accountjids": _jid(jid)})
        found = done.payload(roster.Query)
        if found is None:
            raise StanzaError("undefined-condition", "no roster in the answer")
        return found.items

    async def last_login(self, jid: Who) -> datetime | str:
        """When somebody logged in last; in the server's own words where it tells it so (§4.9)."""
        found = _text(await self._do("get-user-lastlogin", {"accountjids": _jid(jid)}), "lastlogin")
        try:
            return read_datetime(found)
        except ValueError:
            return found

    async def user_statistics(self, jid: Who) -> UserStatistics:
        """What the server knows of an account (§4.10)."""
        done = await self._do("user-stats", {"accountjid": _jid(jid)})
        told = dict(answers(done.form)) if done.form is not None else {}
        told.pop("accountjid", None)
        known = {
            "addresses": _texts(told.pop("ipaddresses", ())),
            "resources": _texts(told.pop("onlineresources", ())),
        }
        size, often, logins = (
            _number(told.pop(name, None))
            for name in ("rostersize", "stanzaspersecond", "loginsperminute")
        )
        rest = MappingProxyType(told)
        return UserStatistics(
            known["addresses"], int(size) if size is not None else None, known["resources"],
            often, logins, rest,
        )  # fmt: skip

    # --- who is kept out, and let in -------------------------------------------------

    async def blacklist(self) -> tuple[JID, ...]:
        """Whom the service has nothing to do with (§4.11)."""
        return await self._peek("edit-blacklist", "blacklistjids")

    async def edit_blacklist(self, jids: Iterable[Who]) -> None:
        """Let these be all whom the service has nothing to do with (§4.11)."""
        await self._do("edit-blacklist", {"blacklistjids": tuple(map(_jid, jids))})

    async def whitelist(self) -> tuple[JID, ...]:
        """Whom alone the service has to do with (§4.12)."""
        return await self._peek("edit-whitelist", "whitelistjids")

    async def edit_whitelist(self, jids: Iterable[Who]) -> None:
        """Let these be all whom the service has to do with (§4.12)."""
        await self._do("edit-whitelist", {"whitelistjids": tuple(map(_jid, jids))})

    async def admins(self) -> tuple[JID, ...]:
        """The operators (§4.29)."""
        return await self._peek("edit-admin", "adminjids")

    async def edit_admins(self, jids: Iterable[Who]) -> None:
        """Let these be all operators (§4.29)."""
        await self._do("edit-admin", {"adminjids": tuple(map(_jid, jids))})

    # --- numbers, and lists (§4.13 to §4.22) -----------------------------------------

    async def registered_count(self) -> int:
        """How many accounts there are."""
        return await self._count("registered")

    async def disabled_count(self) -> int:
        """How many accounts are disabled."""
        return await self._count("disabled")

    async def online_count(self) -> int:
        """How many people are online."""
        return await self._count("online")

    async def active_count(self) -> int:
        """How many people are online and not idle."""
        return await self._count("active")

    async def idle_count(self) -> int:
        """How many people are online and idle."""
        return await self._count("idle")

    async def registered(self, most: int | None = None) -> tuple[JID, ...]:
        """All accounts, or as many as that."""
        return await self._listed("get-registered-users-list", most)

    async def disabled(self, most: int | None = None) -> tuple[JID, ...]:
        """The accounts that are disabled."""
        return await self._listed("get-disabled-users-list", most)

    async def online(self, most: int | None = None) -> tuple[JID, ...]:
        """Who is online."""
        return await self._listed("get-online-users-list", most)

    async def active(self, most: int | None = None) -> tuple[JID, ...]:
        """Who is online and not idle."""
        return await self._listed("get-active-users", most)

    async def idle(self, most: int | None = None) -> tuple[JID, ...]:
        """Who is online and idle."""
        return await self._listed("get-idle-users", most)

    # --- words for everybody (§4.23 to §4.28) ----------------------------------------

    async def announce(self, text: str, subject: str | None = None) -> None:
        """Say something to all who are online now."""
        await self._say("announce", "announcement", text, subject)

    async def motd(self) -> str:
        """What everybody is told who comes online."""
        return await self._words("edit-motd", "motd")

    async def set_motd(self, text: str, subject: str | None = None) -> None:
        """Tell it to everybody who comes online, from now on; and to who is."""
        await self._say("set-motd", "motd", text, subject)

    async def edit_motd(self, text: str, subject: str | None = None) -> None:
        """Put it otherwise, without telling again who is online."""
        await self._say("edit-motd", "motd", text, subject)

    async def delete_motd(self) -> None:
        """Tell nothing any more to who comes online."""
        await self._do("delete-motd", {})

    async def welcome(self) -> str:
        """What new users are told."""
        return await self._words("set-welcome", "welcome")

    async def set_welcome(self, text: str, subject: str | None = None) -> None:
        """Tell this to every new user."""
        await self._say("set-welcome", "welcome", text, subject)

    async def delete_welcome(self) -> None:
        """Tell new users nothing."""
        await self._do("delete-welcome", {})

    # --- the server itself (§4.30, §4.31) --------------------------------------------

    async def restart(self, delay: int | None = None, announcement: str | None = None) -> None:
        """Stop in `delay` seconds, which is to be one that the form offers, and start again."""
        await self._halt("restart", delay, announcement)

    async def shut_down(self, delay: int | None = None, announcement: str | None = None) -> None:
        """Stop in `delay` seconds, which is to be one that the form offers."""
        await self._halt("shutdown", delay, announcement)

    # --- how -------------------------------------------------------------------------

    async def _do(self, name: str, values: Mapping[str, Value], *optional: str) -> Running:
        """Run a command to its end; `optional` are told only where the form asks for them."""
        running = Running(self._client, self.jid, commands.admin_node(name))
        try:
            await running.begin()
            if running.status == "executing":
                await running.complete(_fitting(running.form, values, optional))
            if running.failure is not None:
                raise CommandFailed(running.failure)
            if running.status != "completed":
                raise StanzaError("undefined-condition", "it is not completed")
        finally:
            await running.leave()
        return running

    async def _each(self, name: str, jids: Iterable[Who]) -> None:
        """All at once, or one after another where the form has room for one only."""
        whom = tuple(map(_jid, jids))
        form = await self._form(name)
        if form is not None and form.field("accountjids") is None:
            for one in whom:
                await self._do(name, {"accountjid": one})
        elif whom:
            await self._do(name, {"accountjids": whom})

    async def _form(self, name: str) -> Form | None:
        """What the command asks, without going on."""
        running = Running(self._client, self.jid, commands.admin_node(name))
        await running.begin()
        form = running.form
        await running.leave()
        return form

    async def _peek(self, name: str, var: str) -> tuple[JID, ...]:
        form = await self._form(name)
        return _jids(form.values(var)) if form is not None else ()

    async def _words(self, name: str, var: str) -> str:
        form = await self._form(name)
        found = [form.values(one) for one in (var, *OTHERWISE[var])] if form is not None else []
        return "\n".join(next(filter(None, found), ()))

    async def _count(self, which: str) -> int:
        number = _number(_text(await self._do(f"get-{which}-users-num", {}), f"{which}usersnum"))
        if number is None:
            raise StanzaError("undefined-condition", "no number in the answer")
        return int(number)

    async def _listed(self, name: str, most: int | None) -> tuple[JID, ...]:
        values: dict[str, Value] = {} if most is None else {"max_items": most}
        done = await self._do(name, values, "max_items")
        fields = done.form.fields if done.form is not None else ()
        found = [f.values for f in fields if (f.var or "").endswith("jids")]
        return _jids(found[0] if found else ())[:most]

    async def _say(self, name: str, var: str, text: str, subject: str | None) -> None:
        values: dict[str, Value] = {var: text}
        await self._do(name, values if subject is None else {"subject": subject, **values})

    async def _halt(self, name: str, delay: int | None, announcement: str | None) -> None:
        told = {"delay": delay, "announcement": announcement}
        await self._do(name, {key: value for key, value in told.items() if value is not None})


def _fitting(
    form: Form | None, values: Mapping[str, Value], optional: tuple[str, ...]
) -> dict[str, Value]:
    """The answers by the names that the form has for them."""
    found: dict[str, Value] = {}
    for name, value in values.items():
        names = (name, *OTHERWISE.get(name, ()))
        var = next((one for one in names if form is None or form.field(one) is not None), None)
        if var is not None or name not in optional:
            found[var or name] = value
    limit = form.field("max_items") if form is not None else None
    if limit is not None and "max_items" not in found:
        offered = {option.value for option in limit.options}
        unlimited = next((one for one in UNLIMITED if one in offered), None)
        return found if unlimited is None else {**found, "max_items": unlimited}
    return found


def _jid(who: Who) -> JID:
    return JID.parse(who) if isinstance(who, str) else who


def _jids(texts: Iterable[str]) -> tuple[JID, ...]:
    """The addresses among the lines of an answer; COMPAT: Prosody, which tells more of each."""
    found: list[JID] = []
    for text in texts:
        for line in text.split("\n"):
            try:
                found.append(JID.parse(line.split(" ")[0]))
            except JIDError:
                continue
    return tuple(dict.fromkeys(found))


def _text(done: Running, var: str) -> str:
    return done.form.value(var) if done.form is not None else ""


def _texts(value: Value) -> tuple[str, ...]:
    found = value if isinstance(value, tuple) else (value,)
    return tuple(line for one in found for line in str(one).split("\n") if line)


def _number(value: Value | None) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value).strip())
    except InvalidOperation:
        return None
