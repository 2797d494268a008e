"""Publishes news for devices: to each one at a time, no more often than allowed, and not for ever.

What comes while a publication is under way, or too soon after it, is told by the next one. What
a service did not take for now is told later, after a longer time with each failure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from ....core.errors import StanzaError
from ....core.jid import JID
from ....core.stanza import Iq
from ....kit.clock import Timer
from ....kit.config import HOUR
from ....kit.hooks import Remove
from ....kit.rate import Bucket, Limit
from ....kit.tasks import ScopeFullError
from ....wire import push
from ....wire.dataforms import Form
from ...module import Module

MOST = 10_000  # devices of one host that something is under way to, or was until just now
CROWDED = 1.0  # seconds until another try where too much is under way
LONGEST = HOUR  # seconds between two tries


class News(NamedTuple):
    """How many messages a device was not told of yet, and the last of them."""

    number: int
    sender: JID | None
    body: str | None

    def after(self, older: News | None) -> News:
        return self if older is None else self._replace(number=self.number + older.number)


class Device:
    """One registration that something is, or just was, under way to."""

    __slots__ = (
        "asked", "bucket", "enable", "failures", "forget", "is_busy", "name", "news", "not_before",
        "owner", "timer",
    )  # fmt: skip

    def __init__(self, owner: JID, name: str, enable: push.Enable, limit: Limit) -> None:
        self.owner, self.name, self.enable = owner, name, enable
        self.bucket = Bucket(limit)
        self.news: News | None = None  # that it is yet to be told
        self.asked: tuple[push.Enable, News] | None = None  # that its service has not answered
        self.is_busy = False
        self.failures = 0  # in a row
        self.not_before = float("-inf")
        self.timer: Timer | None = None
        self.forget: Remove | None = None  # takes back what was asked

    def delay(self, now: float) -> float:
        """Seconds until it may be told anything."""
        return max(self.bucket.delay(now), self.not_before - now)


Summary = Callable[[JID, News], Awaitable[Form]]


class Devices:
    """All of one host. `ended` is told the devices whose registration is over."""

    def __init__(
        self,
        module: Module,
        limit: Limit,
        errors: int,
        summary: Summary,
        is_connected: Callable[[JID, str], bool],
        ended: Callable[[Device, push.Enable, StanzaError], None],
    ) -> None:
        self._module, self._limit, self._errors = module, limit, errors
        self._summary, self._is_connected, self._ended = summary, is_connected, ended
        self._devices: dict[tuple[JID, str], Device] = {}
        meter = module.meter
        self._published = meter.counter("published", "Publications that a push service took.")
        self._failed = meter.counter("failed", "Publications that a push service did not take.")
        self.dropped = meter.counter("dropped", "News not published: too much was under way.")

    def __len__(self) -> int:
        return len(self._devices)

    def wake(self, owner: JID, name: str, enable: push.Enable, news: News) -> None:
        """Publish `news`, now or with what comes next."""
        device = self._devices.get((owner, name))
        if device is None:
            if len(self._devices) >= MOST:
                self.dropped.value += 1
                return
            device = self._devices[owner, name] = Device(owner, name, enable, self._limit)
        device.enable = enable
        device.news = news.after(device.news)
        self._hurry(device)

    def drop(self, owner: JID, name: str) -> None:
        """Publish nothing more: the registration is gone."""
        device = self._devices.pop((owner, name), None)
        if device is None:
            return
        if device.timer is not None:
            device.timer.cancel()
        if device.forget is not None:
            device.forget()

    def drop_all(self, owner: JID | None = None) -> None:
        for key in tuple(self._devices):
            if owner in (None, key[0]):
                self.drop(*key)

    def _hurry(self, device: Device) -> None:
        """Publish what there is as soon as may be, or forget the device as soon as may be."""
        if device.is_busy:
            return
        if device.timer is not None:
            device.timer.cancel()
        now = self._module.clock.monotonic()
        if device.news is None:  # once its bucket is full, a new one is the same
            delay = device.bucket.delay(now, device.bucket.limit.burst)
        else:
            delay = device.delay(now)
        if delay > 0:
            device.timer = self._module.clock.call_later(delay, partial(self._due, device))
        else:
            self._due(device)

    def _due(self, device: Device) -> None:
        device.timer = None
        if device.news is None:
            self.drop(device.owner, device.name)
            return
        device.is_busy = True
        try:
            self._module.scope.start(self._tell(device))
        except ScopeFullError:
            device.is_busy = False
            clock = self._module.clock
            device.timer = clock.call_later(CROWDED, partial(self._due, device))

    async def _tell(self, device: Device) -> None:
        """Publish the news, unless the client has come: then all that failed is forgotten too."""
        news, device.news = device.news, None
        if news is None or self._is_connected(device.owner, device.name):
            device.is_busy = False
            device.failures = 0
            self._hurry(device)
            return
        try:
            await self._publish(device, news)
        except BaseException:  # it must not seem busy for ever
            self.drop(device.owner, device.name)
            raise

    async def _publish(self, device: Device, news: News) -> None:
        device.bucket.take(self._module.clock.monotonic())
        form = await self._summary(device.owner, news)
        if not self._has(device):
            return
        device.asked = device.enable, news
        device.forget = await self._module.host.asking.ask(
            "set",
            device.enable.jid,
            push.publication(device.enable, form),
            partial(self._answered, device),
        )

    def _has(self, device: Device) -> bool:
        """Whether its registration has not ended meanwhile."""
        return self._devices.get((device.owner, device.name)) is device

    def _answered(self, device: Device, iq: Iq) -> None:
        if device.asked is None or not self._has(device):
            return
        (enable, news), device.asked = device.asked, None
        device.is_busy = False
        error = iq.error
        if error is None:
            self._published.value += 1
            device.failures = 0
        elif push.is_final(error) or device.failures + 1 >= self._errors:
            self._failed.value += 1
            self.drop(device.owner, device.name)
            self._ended(device, enable, error)
            return
        else:
            self._failed.value += 1
            device.failures += 1
            wait = min(2.0**device.failures, LONGEST)
            device.not_before = self._module.clock.monotonic() + wait
            device.news = news if device.news is None else device.news.after(news)
        self._hurry(device)
