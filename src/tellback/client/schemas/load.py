"""Where a schema comes from: a dict, a JSON or YAML file, a URL."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tellback.client.schemas.document import Document, SchemaError, document

Source = Mapping[str, Any] | str | os.PathLike[str]

TIMEOUT: Final = 10.0
"""Seconds that a URL is waited for. This is when a schema is defined; no event ever waits."""
LARGEST: Final = 1 << 20


def load(source: Source) -> Document:
    """The document of a schema. SchemaError says what is wrong with the source or with the schema."""
    if isinstance(source, Mapping):
        return document(source if type(source) is dict else dict(source))
    if isinstance(source, str):
        if source.startswith(("http://", "https://")):
            return document(_parse(_fetch(source), source), source)
        if "\n" in source or source.lstrip().startswith("{"):
            raise SchemaError("A schema is given as a dict, a path or a URL, not as its text: parse it first.")
    elif not isinstance(source, os.PathLike):
        raise SchemaError(f"A schema is given as a dict, a path or a URL, not as {type(source).__name__}.")
    path = Path(source)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SchemaError(f"{path} cannot be read: {error.strerror or error}.") from None
    return document(_parse(data, str(path)), str(path))


def _parse(data: bytes, where: str) -> Any:
    if where.partition("?")[0].endswith((".yaml", ".yml")):
        return _parse_yaml(data, where)
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if where.partition("?")[0].endswith(".json"):
            raise SchemaError(f"{where} is no JSON: {error}.") from None
        return _parse_yaml(data, where)


def _parse_yaml(data: bytes, where: str) -> Any:
    try:
        import yaml
    except ModuleNotFoundError:
        raise SchemaError(f"{where} is YAML, which needs an extra: pip install 'tellback[schemas]'.") from None
    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none
        raise SchemaError(f"{where} is no YAML: {' '.join(str(error).split())}.") from None


def _fetch(url: str) -> bytes:
    import http.client
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:  # noqa: S310 -- http or https, by the caller
            data: bytes = response.read(LARGEST + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise SchemaError(f"{url} gives no schema: {getattr(error, 'reason', None) or error}.") from None
    if len(data) > LARGEST:
        raise SchemaError(f"{url} gives more than {LARGEST} bytes, which is no schema.")
    return data
