"""Push notifications (XEP-0357): slixmpp's clients as the phone and as the app server."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from slixmpp.stanza import Iq

from .people import PATIENCE, Cast, Person, attribute, child, settle

PUSH = "urn:xmpp:push:0"
PUBSUB = "http://jabber.org/protocol/pubsub"
DATA = "{jabber:x:data}"


class AppServer:
    """A push service at a full address: it notes what it is asked, and answers."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.refusal = ""

    @property
    def jid(self) -> str:
        return self.person.full

    async def asked(self) -> ElementTree.Element:
        """The next publication, which is answered."""
        iq = await self.person.hear(
            lambda s: isinstance(s, Iq) and child(s, PUBSUB, "publish") is not None
        )
        assert attribute(iq, "type") == "set"
        reply = iq.reply(clear=True)
        if self.refusal:
            reply["type"] = "error"
            reply["error"]["condition"] = self.refusal
        reply.send()
        found: ElementTree.Element = iq.xml
        return found

    def is_left_alone(self) -> bool:
        return not any(child(s, PUBSUB, "publish") is not None for s in self.person.heard)


def fields(publication: ElementTree.Element, place: str) -> dict[str, str | None]:
    form = publication.find(f".//{place}/{DATA}x")
    assert form is not None
    return {f.get("var", ""): f.findtext(f"{DATA}value") for f in form.findall(f"{DATA}field")}


async def enable(phone: Person, app: AppServer, node: str) -> None:
    form = phone["xep_0004"].make_form(ftype="submit")
    form.add_field("FORM_TYPE", "hidden", value=f"{PUBSUB}#publish-options")
    form.add_field("secret", value="eruio234vzxc2kla-91")
    inside = ElementTree.tostring(form.xml, encoding="unicode")
    xml = f"<enable xmlns='{PUSH}' jid='{app.jid}' node='{node}'>{inside}</enable>"
    await phone.ask("set", xml)


@pytest.mark.lacking("it has no push notifications of its own, but in its community modules")
async def test_a_phone_is_woken(cast: Cast) -> None:
    """From the registration to the phone that fetches what waits for it."""
    app = AppServer(await cast.enter("app/push", presence=False))
    romeo = await cast.enter("romeo/desk")
    phone = await cast.enter("juliet/phone", plugins=["xep_0004", "xep_0030"])
    info = await phone["xep_0030"].get_info(phone.bare, timeout=PATIENCE)
    assert PUSH in info["disco_info"]["features"]
    await enable(phone, app, "yxs32uqsflafdk3iuqo")
    romeo.say(phone.bare, "awake")
    await phone.message("awake")
    await phone.leave()
    romeo.say(phone.bare, "asleep")
    asked = await app.asked()
    assert asked.get("from") == "verona.example"
    assert asked.find(f".//{{{PUBSUB}}}publish").get("node") == "yxs32uqsflafdk3iuqo"
    assert fields(asked, f"{{{PUSH}}}notification") == {
        "FORM_TYPE": "urn:xmpp:push:summary",
        "message-count": "1",
        "pending-subscription-count": "0",
        "last-message-body": "New Message!",
    }
    assert fields(asked, f"{{{PUBSUB}}}publish-options") == {
        "FORM_TYPE": "http://jabber.org/protocol/pubsub#publish-options",
        "secret": "eruio234vzxc2kla-91",
    }
    woken = await cast.again(phone, "phone")
    await woken.message("asleep")
    await settle(romeo, app.person)
    assert app.is_left_alone()


@pytest.mark.lacking("it has no push notifications of its own, but in its community modules")
async def test_a_phone_that_is_gone_for_good(cast: Cast) -> None:
    """§7.1: the service knows it no more, and is asked no more."""
    app = AppServer(await cast.enter("app/push", presence=False))
    romeo = await cast.enter("romeo/desk")
    phone = await cast.enter("juliet/phone", plugins=["xep_0004"])
    await enable(phone, app, "old-phone")
    await enable(phone, app, "new-phone")
    await phone.leave()
    app.refusal = "item-not-found"
    romeo.say(phone.bare, "one")
    for _ in range(2):
        await app.asked()
    await settle(app.person, romeo)
    romeo.say(phone.bare, "two")
    await settle(romeo, app.person)
    assert app.is_left_alone()
