"""Warnings that Python shows."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tellback.adapters.warnings import record, stop

Recorded = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What whoever showed warnings before still shows."""
    seen: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", lambda message, *_: seen.append(str(message)))
        record()
        record()
        yield seen
        stop()


def test_a_warning_is_recorded_and_shown(recorded: Recorded, shown: list[str]) -> None:
    warnings.warn("use load_rig", DeprecationWarning, stacklevel=1)
    warnings.warn("plain", stacklevel=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn("hidden", stacklevel=1)
    first, second = recorded()
    assert (first["kind"], first["name"], first["level"]) == ("log", "DeprecationWarning", "warn")
    assert (first["message"], second["message"], second["name"]) == ("use load_rig", "plain", "UserWarning")
    assert first["attrs"]["code.file.path"] == __file__
    assert first["attrs"]["code.line.number"] > 20
    assert shown == ["use load_rig", "plain"]


def test_stopped_and_before_init_they_are_shown_alone(shown: list[str]) -> None:
    warnings.warn("before init", stacklevel=1)
    stop()
    stop()
    warnings.warn("stopped", stacklevel=1)
    assert shown == ["before init", "stopped"]
