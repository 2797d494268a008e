"""What programs may still say and should not any more: it works, and warns (see `api`).

Whatever goes is here for two minor releases, with what takes its place: the warning names both,
and so does the changelog, so that one replacement in a program's files is all there is to do.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

NAMES: dict[str, str] = {}
"""Former name in `api` -> the one that takes its place."""


def called_now(name: str) -> str | None:
    """What a former name is called now, with a warning to who has said it."""
    now = NAMES.get(name)
    if now is not None:
        _warn(f"pyrite.client.api.{name} is called {now} now", 4)
    return now


def renamed(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function be called with former names of its keyword arguments: former -> now."""

    def build(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for former in names.keys() & kwargs.keys():
                now = names[former]
                if now in kwargs:
                    raise TypeError(f"{former} and {now} say the same")
                _warn(f"{former}= of {function.__qualname__} is called {now}= now", 3)
                kwargs[now] = kwargs.pop(former)
            return function(*args, **kwargs)

        return call

    return build


def _warn(text: str, level: int) -> None:
    warnings.warn(text, DeprecationWarning, stacklevel=level)
