"""Bytes in, canonical lines out: one file per wire, each found by being here with a `WIRE`."""

import importlib
import pkgutil
from functools import cache

from tellback.server.intake.contract import Wire


@cache
def wires() -> dict[str, Wire]:
    """Every wire there is, by name."""
    found: dict[str, Wire] = {}
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        wire = getattr(importlib.import_module(module.name), "WIRE", None)
        if wire is not None:
            found[wire.name] = wire
    return found
