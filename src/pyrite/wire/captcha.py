"""CAPTCHA forms: a task for who may be a machine."""

from __future__ import annotations

from ..core.payload import child, payload
from . import Spec
from .dataforms import Form

SPEC = Spec("XEP-0158", "1.0.1", "CAPTCHA Forms")
NS = "urn:xmpp:captcha"


@payload(NS, "captcha")
class Captcha:
    """The task, in a form to be filled in, and the answer (§3)."""

    form: Form = child()
