"""What `init` was told, else what the environment says, else a default. Read at `init`, never at import."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tellback.client.folder import default_folder, remote_filesystem, second_choice
from tellback.rules import NONE, Rules, RulesError, selectors

_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
_FALSE = frozenset({"", "0", "false", "no", "off", "n", "f"})


class Settings(msgspec.Struct, frozen=True):
    """As they are in force."""

    service: str | None = None
    release: str | None = None
    environment: str | None = None
    user: str | None = None
    url: str | None = None  # of the server, without a slash at its end; None: spool only
    token: str | None = None
    spool: Path = Path()
    interval: float = 2.0  # seconds after which a record leaves at the latest
    disable: bool = False
    rules: Rules = NONE  # what TELLBACK_DISABLE selects, where it does not disable everything
    config: Path | None = None  # the file with the red button
    debug: bool = False
    durable: bool = False
    console: bool = False


def read(given: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> tuple[Settings, list[str]]:
    """Settings, and a sentence for each that was wrong: what is wrong, and what holds instead."""
    wrong: list[str] = []

    def text(name: str) -> str | None:
        value = given.get(name)
        if value is None:
            return environ.get("TELLBACK_" + name.upper()) or None
        if isinstance(value, (str, int, os.PathLike)) and not isinstance(value, bool):
            return str(value) or None
        wrong.append(f"{name}={type(value).__name__} is ignored: it must be text.")
        return None

    url = _url(text("url"), wrong)
    token = text("token")
    if token is not None and not re.fullmatch(r"[\x21-\x7e]+", token):
        wrong.append(
            "The token holds a space or a sign that no header can carry; make one with `tellback token new --write`."
        )
        token = None
    config = text("config")
    rules = _selected(given.get("disable"), environ, wrong)
    debug = _switch("debug", given.get("debug"), environ, wrong)
    return Settings(
        service=text("service"),
        release=text("release"),
        environment=text("environment"),
        user=text("user"),
        url=url,
        token=token,
        spool=_spool(text("spool"), wrong),
        interval=_interval(given.get("interval", environ.get("TELLBACK_INTERVAL")), wrong),
        disable=(rules.empty and _switch("disable", given.get("disable"), environ, wrong))
        or _switch("DO_NOT_TRACK", None, environ, wrong),
        rules=rules,
        config=Path(config) if config else None,
        debug=debug,
        durable=bool(given.get("durable")),
        console=debug if given.get("console") is None else bool(given["console"]),
    ), wrong


def _url(value: str | None, wrong: list[str]) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not value.isascii() or any(sign <= " " for sign in value):
        wrong.append(
            f"The url {value!r} is none that can be sent to; it must look like http://127.0.0.1:8321. "
            "Records are kept in the spool until it is right."
        )
        return None
    if parts.username is not None or parts.query or parts.fragment:
        wrong.append(
            "What the url holds besides scheme, host, port and path is ignored; the token goes into TELLBACK_TOKEN."
        )
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}".rstrip("/")


def _spool(value: str | None, wrong: list[str]) -> Path:
    path = Path(value).expanduser() if value else default_folder()
    kind = remote_filesystem(path)
    if kind is None:
        return path
    local = second_choice()
    wrong.append(
        f"The spool {path} lies on a {kind} file system, where a write can hang or kill the process; {local} is used. "
        "Set TELLBACK_SPOOL to a folder on a local disk."
    )
    return local


def _interval(value: Any, wrong: list[str]) -> float:
    if value is None or value == "":
        return 2.0
    try:
        seconds = float(value)
        if not 0.05 <= seconds <= 3600:
            raise ValueError
    except (TypeError, ValueError):
        wrong.append(f"The interval {value!r} is not a number of seconds from 0.05 to 3600; 2 is used.")
        return 2.0
    return seconds


def _switch(name: str, given: Any, environ: Mapping[str, str], wrong: list[str]) -> bool:
    if isinstance(given, bool):
        return given
    variable = name if name.isupper() else "TELLBACK_" + name.upper()
    word = str(given if given is not None else environ.get(variable, "")).strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    # A person who presses a red button means it, however the word is spelled.
    wrong.append(f"{variable}={word!r} is neither yes nor no; it counts as yes. Use 1 or 0.")
    return True


def _selected(given: Any, environ: Mapping[str, str], wrong: list[str]) -> Rules:
    """The rules in `TELLBACK_DISABLE=kind:log,name:debug.*`; none where it is a plain yes or no."""
    text = str(given) if given is not None else environ.get("TELLBACK_DISABLE", "")
    if ":" not in text:
        return NONE
    try:
        return selectors(text)
    except RulesError as error:
        wrong.append(f"{error}.")
        return NONE
