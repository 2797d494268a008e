"""What moderators, admins and owners ask of a room (XEP-0045 §8 to §10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ....core.errors import StanzaError
from ....core.jid import JID
from ....wire import dataforms, disco, moderation, muc, roominfo
from ....wire.registration import Registration
from .events import RegistrationAsked, VoiceAsked

if TYPE_CHECKING:
    from ...entity import Entity


class Administered:
    """Requests to one room, in it or not. Each raises `StanzaError` where the room refuses it."""

    client: Entity
    jid: JID

    # --- what it is ------------------------------------------------------------------

    async def info(self) -> roominfo.RoomInfo:
        """What the room tells of itself (§6.4)."""
        return roominfo.read(await self.client.request(disco.Info(), self.jid, expect=disco.Info))

    async def nicks(self) -> tuple[str, ...]:
        """Who is there, where the room shows it to those who are not (§6.5)."""
        found = await self.client.request(disco.Items(), self.jid, expect=disco.Items)
        return tuple(item.jid.resource for item in found.items if item.jid.resource is not None)

    # --- occupants -------------------------------------------------------------------

    async def kick(self, nick: str, why: str | None = None) -> None:
        """Throw an occupant out (§8.2)."""
        await self.set_role(nick, "none", why)

    async def set_role(self, nick: str, role: muc.Role, why: str | None = None) -> None:
        """Give an occupant a voice, or take it, or make one a moderator (§8.3 to §9.7)."""
        await self._change(muc.Entry(nick=nick, role=role, reason=why))

    async def ban(self, jid: JID | str, why: str | None = None) -> None:
        """Throw out an address (bare), and let it in no more (§9.1)."""
        await self.set_affiliation(jid, "outcast", why)

    async def set_affiliation(
        self,
        jid: JID | str,
        affiliation: muc.Affiliation,
        why: str | None = None,
        *,
        nick: str | None = None,
    ) -> None:
        """What an address (bare) is to the room, in it or not; its `nick` is kept for it (§9)."""
        await self._change(muc.Entry(affiliation, _bare(jid), nick, reason=why))

    async def set_affiliations(self, to: Mapping[JID | str, muc.Affiliation]) -> None:
        """Several, one after another (§9.2, §9.5)."""
        for jid, what in to.items():  # COMPAT: Prosody heeds the first in a request alone
            await self._change(muc.Entry(what, _bare(jid)))

    async def set_roles(self, to: Mapping[str, muc.Role]) -> None:
        """Several, by their nicks, one after another (§8.5, §9.8)."""
        for nick, role in to.items():
            await self._change(muc.Entry(nick=nick, role=role))

    async def having(
        self, affiliation: muc.Affiliation | None = None, *, role: muc.Role | None = None
    ) -> tuple[muc.Entry, ...]:
        """All who have this affiliation, or this role (§9.2 and others)."""
        asked = muc.Admin((muc.Entry(affiliation, role=role),))
        return (await self.client.request(asked, self.jid, expect=muc.Admin)).items

    async def _change(self, entry: muc.Entry) -> None:
        await self.client.request(muc.Admin((entry,)), self.jid, type="set")

    async def answer(self, asked: VoiceAsked | RegistrationAsked, *, allow: bool = True) -> None:
        """Give a voice to who asks for it, or make a member; or let it be (§8.6, §9.9)."""
        var = roominfo.allowing(asked.form)
        if var is None:
            raise StanzaError("bad-request", "nothing that could be allowed")
        form = dataforms.fill(asked.form, {var: allow})
        await self.client.send(self.jid, form, type="normal")

    # --- messages --------------------------------------------------------------------

    async def take_back(self, id: str, why: str | None = None) -> None:
        """Take back what somebody said: the message that the room calls `id` (XEP-0425)."""
        asked = moderation.Moderate(id, retract=True, reason=why)
        await self.client.request(asked, self.jid, type="set")

    # --- the room --------------------------------------------------------------------

    async def settings(self) -> dataforms.Form:
        """The form with the room's settings (§10.2)."""
        answer = await self.client.request(muc.Owner(), self.jid, expect=muc.Owner)
        if answer.form is None:
            raise StanzaError("undefined-condition", "no form in the answer")
        return answer.form

    async def configure(self, **values: dataforms.Value) -> None:
        """Set some of the settings, by their names without ``muc#roomconfig_``.

        The others stay. Raises `StanzaError` ``item-not-found`` for one that the room lacks, and
        `WrongAnswers` for a value that it does not take.
        """
        form = await self.settings()
        answers = {_setting(form, name): value for name, value in values.items()}
        await self._submit(dataforms.fill(form, answers))

    async def accept_settings(self) -> None:
        """A new room is to be as it is by default (§10.1.2)."""
        await self._submit(dataforms.Form("submit"))

    async def refuse_settings(self) -> None:
        """A new room is not to be at all (§10.1.3)."""
        await self._submit(dataforms.cancellation())

    async def _submit(self, form: dataforms.Form) -> None:
        await self.client.request(muc.Owner(form), self.jid, type="set")

    async def destroy(
        self, why: str | None = None, other: JID | str | None = None, *, password: str | None = None
    ) -> None:
        """End the room for good; `other` is where to go instead, with that password (§10.9)."""
        there = JID.parse(other) if isinstance(other, str) else other
        end = muc.Destroy(there, why, password)
        await self.client.request(muc.Owner(destroy=end), self.jid, type="set")

    # --- registration (§7.10), and the nick that comes with it -----------------------

    async def reserved_nick(self) -> str | None:
        """The nick that the room keeps for us; None if it keeps none, or none at all (§7.12)."""
        asked = disco.Info(roominfo.RESERVED)
        try:
            return roominfo.nick_of(await self.client.request(asked, self.jid, expect=disco.Info))
        except StanzaError as error:
            if error.condition in _NO_NICKS:
                return None
            raise

    async def registration(self) -> Registration:
        """What is asked of who wants to be registered with the room, or that we are."""
        return await self.client.request(Registration(), self.jid, expect=Registration)

    async def register(self, nick: str, **values: dataforms.Value) -> None:
        """Ask to be a member who has `nick`; the others cannot take it.

        The `values` are named as the room's form does, without ``muc#register_``. Raises
        `WrongAnswers` for what the form does not ask, or asks and is not given; `StanzaError`
        ``conflict`` for a nick that is somebody else's.
        """
        asked = (await self.registration()).form
        answers = {f"muc#register_{key}": one for key, one in {"roomnick": nick, **values}.items()}
        if asked is not None and asked.type == "form":
            form = dataforms.fill(asked, answers)
        else:  # we are registered, and shall be called otherwise
            form = dataforms.submission(muc.NS_REGISTER, answers)
        await self.client.request(Registration(form=form), self.jid, type="set")

    async def unregister(self) -> None:
        """Be a member no longer, and give the nick back (XEP-0077 §3.2)."""
        await self.client.request(Registration(remove=True), self.jid, type="set")


class Outside(Administered):
    """A room that we need not be in: its lists and settings, for who may see and change them."""

    def __init__(self, client: Entity, jid: JID) -> None:
        self.client, self.jid = client, jid


#: How rooms and services say that they keep no nicks; ejabberd knows no such node.
_NO_NICKS = frozenset({"feature-not-implemented", "item-not-found", "service-unavailable"})


def _bare(jid: JID | str) -> JID:
    return (JID.parse(jid) if isinstance(jid, str) else jid).bare


def _setting(form: dataforms.Form, name: str) -> str:
    for var in (name, f"muc#roomconfig_{name}"):
        if form.field(var) is not None:
            return var
    raise StanzaError("item-not-found", f"the room has no setting {name}")
