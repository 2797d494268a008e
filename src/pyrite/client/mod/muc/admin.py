"""What moderators, admins and owners ask of a room (XEP-0045 §8 to §10)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ....core.errors import StanzaError
from ....core.jid import JID
from ....wire import dataforms, moderation, muc
from ....wire.registration import Registration

if TYPE_CHECKING:
    from ...entity import Entity


class Administered:
    """Requests to one room. Each raises `StanzaError` where the room refuses it."""

    client: Entity
    jid: JID

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
        self, jid: JID | str, affiliation: muc.Affiliation, why: str | None = None
    ) -> None:
        """What an address (bare) is to the room, in it or not (§9)."""
        who = JID.parse(jid) if isinstance(jid, str) else jid
        await self._change(muc.Entry(affiliation, who.bare, reason=why))

    async def having(
        self, affiliation: muc.Affiliation | None = None, *, role: muc.Role | None = None
    ) -> tuple[muc.Entry, ...]:
        """All who have this affiliation, or this role (§9.2 and others)."""
        asked = muc.Admin((muc.Entry(affiliation, role=role),))
        return (await self.client.request(asked, self.jid, expect=muc.Admin)).items

    async def _change(self, entry: muc.Entry) -> None:
        await self.client.request(muc.Admin((entry,)), self.jid, type="set")

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

        The others stay. Raises `StanzaError` ``item-not-found`` for one that the room lacks.
        """
        form = await self.settings()
        answers = {f.var: f.values for f in form.fields if f.var and f.type != "fixed"}
        answers.pop(dataforms.FORM_TYPE, None)
        for name, value in values.items():
            answers[_setting(form, name)] = dataforms.submission("", {"": value}).fields[1].values
        await self._submit(answers)

    async def accept_settings(self) -> None:
        """A new room is to be as it is by default (§10.1.2)."""
        asked = muc.Owner(dataforms.Form("submit"))
        await self.client.request(asked, self.jid, type="set")

    async def _submit(self, answers: Mapping[str, tuple[str, ...]]) -> None:
        form = dataforms.submission(muc.NS_CONFIG, answers)
        await self.client.request(muc.Owner(form), self.jid, type="set")

    async def destroy(self, why: str | None = None, other: JID | None = None) -> None:
        """End the room for good; `other` is where to go instead (§10.9)."""
        end = muc.Destroy(other, why)
        await self.client.request(muc.Owner(destroy=end), self.jid, type="set")

    # --- registration (§7.10) --------------------------------------------------------

    async def registration(self) -> Registration:
        """What is asked of who wants to be registered with the room, or that we are."""
        return await self.client.request(Registration(), self.jid, expect=Registration)

    async def register(self, nick: str, **values: dataforms.Value) -> None:
        """Ask to be a member who has `nick`; the others cannot take it."""
        answers = {f"muc#register_{key}": value for key, value in values.items()}
        form = dataforms.submission(muc.NS_REGISTER, {"muc#register_roomnick": nick, **answers})
        await self.client.request(Registration(form=form), self.jid, type="set")


def _setting(form: dataforms.Form, name: str) -> str:
    for var in (name, f"muc#roomconfig_{name}"):
        if form.field(var) is not None:
            return var
    raise StanzaError("item-not-found", f"the room has no setting {name}")
