"""Tellback: telemetry for Python programs in the hands of the people who use them."""

from tellback.version import __version__

__all__ = ["__version__"]
