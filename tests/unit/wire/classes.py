"""Every payload class of `wire`, by the element that it is the form of."""

import importlib
import pkgutil
from typing import Any

import pyrite.wire
from pyrite.core.payload import name_of
from pyrite.core.xml import Name

MODULES = {
    info.name: importlib.import_module(f"pyrite.wire.{info.name}")
    for info in pkgutil.iter_modules(pyrite.wire.__path__)
}
CLASSES: dict[Name, Any] = {
    name_of(value): value
    for module in MODULES.values()
    for value in vars(module).values()
    if isinstance(value, type) and hasattr(value, "codec")
}
