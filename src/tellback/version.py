"""The one source of the version: the wheel, `tellback --version` and `/healthz` read it here."""

__version__ = "0.1.0"
