"""Tellback: telemetry for Python programs in the hands of the people who use them.

    import tellback

    tellback.init(service="rigtools", release="1.4.2")  # at the entry point only; no library configures
    tellback.event("export_to_file_edit", rows=1200)
"""

from typing import TYPE_CHECKING

from tellback.client.bound import bound
from tellback.client.events import event
from tellback.client.lifecycle import close, flush, init
from tellback.version import __version__

__all__ = ["__version__", "bound", "close", "event", "flush", "init"]
