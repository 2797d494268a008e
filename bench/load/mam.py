"""The archive (XEP-0313): filling it by talking, and reading its pages (XEP-0059)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .chat import message
from .client import Client
from .stream import LoadError

ENTRY = re.compile(rb"<result\b[^>]*?\bid=['\"]([^'\"]+)['\"]")
AT_ONCE = 50  # messages between two looks whether the server has handled all
QUERY = (
    "<iq type='set' id='mam'><query xmlns='urn:xmpp:mam:2'>"
    "<x xmlns='jabber:x:data' type='submit'>"
    "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>{form}</x>"
    "<set xmlns='http://jabber.org/protocol/rsm'><max>{size}</max>{place}</set></query></iq>"
)
ANSWER = re.compile(rb"<iq\b[^>]*\bid=['\"]mam['\"][^>]*>(?:<fin\b([^>]*)>)?.*?</iq>", re.S)
COMPLETE = re.compile(rb"\bcomplete=['\"](?:true|1)['\"]")


@dataclass(frozen=True)
class Page:
    """The ids of a page's messages, in order, and whether it was the last one."""

    ids: list[str]
    is_complete: bool


async def page(client: Client, size: int, place: str = "", peer: str = "") -> Page:
    """A page: the first one, or `place` an element of RSM. Raises LoadError for a refusal."""
    form = f"<field var='with'><value>{peer}</value></field>" if peer else ""
    client.stream.write(QUERY.format(form=form, size=size, place=place).encode())
    answer = await client.stream.until(ANSWER)
    if answer[1] is None:
        raise LoadError(f"no page of the archive: {answer[0]!r}")
    found = ENTRY.findall(answer.string, 0, answer.start())
    return Page([id.decode() for id in found], COMPLETE.search(answer[1]) is not None)


async def fill(client: Client, contacts: Sequence[Client], count: int) -> None:
    """Write `count` messages to the contacts in turn, who read them."""
    for contact in contacts:
        contact.stream.receive = lambda _: None
    texts = [message(contact.jid, "fill") for contact in contacts]
    for first in range(0, count, AT_ONCE):
        some = range(first, min(first + AT_ONCE, count))
        client.stream.write(b"".join(texts[number % len(texts)] for number in some))
        await client.sync()
