"""Where packages lie on the disk, and which module a file is. Nothing of them is imported.

This file and its neighbours `inventory`, `monitor`, `sampler`, `hotspots` and `recorder` need the standard library
alone: they are tried on a Python that has neither threads nor msgspec (tests/pyodide).
"""

import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path, PurePath

SOURCE = ".py"


class Packages:
    """The packages (or single modules) whose use is watched."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(dict.fromkeys(names))
        self.missing: list[str] = []
        """Those that cannot be found."""
        self.roots: list[tuple[str, str]] = []
        """(folder with a separator at its end, or a file; the module's name)."""
        for name in self.names:
            found = _places(name)
            self.roots += [(place, name) for place in found]
            if not found:
                self.missing.append(name)
        self._modules: dict[str, str | None] = {}

    def module(self, filename: str) -> str | None:
        """The name of the module that `filename` (a code object's) is; None if it is in none of the packages."""
        try:
            return self._modules[filename]
        except KeyError:
            if filename[:1] == "<":  # made by exec; such names may be without end
                return None
            found = self._modules[filename] = self._module(filename)
            return found

    def _module(self, filename: str) -> str | None:
        for place, name in self.roots:
            if filename == place:
                return name
            if place.endswith(os.sep) and filename.startswith(place):
                parts = list(PurePath(filename[len(place) :].removesuffix(SOURCE)).parts)
                if parts[-1] == "__init__":
                    parts.pop()
                if all(part.isidentifier() for part in parts):
                    return ".".join([name, *parts])
        return None

    def files(self) -> Iterable[tuple[str, Path]]:
        """(module, file) of all source there is, in no order; folders that cannot be read are left out."""
        for place, name in self.roots:
            if not place.endswith(os.sep):
                yield name, Path(place)
                continue
            for folder, folders, files in os.walk(place):
                folders[:] = [inner for inner in folders if inner.isidentifier() and inner != "__pycache__"]
                for file in files:
                    path = os.path.join(folder, file)  # noqa: PTH118 - a co_filename is such a text
                    if file.endswith(SOURCE) and (module := self.module(path)) is not None:
                        yield module, Path(path)


def _places(name: str) -> list[str]:
    top, *rest = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
        locations = list(spec.submodule_search_locations or ()) if spec else []
        origin = spec.origin if spec else None
    except (ImportError, ValueError):  # ValueError: a module without a spec, such as the program itself
        locations, origin = [], getattr(sys.modules.get(top), "__file__", None)
    if rest:
        return [place for base in locations if (place := _inside(base, rest))]
    if locations:
        return [os.path.join(location, "") for location in locations]  # noqa: PTH118 - the same
    return [origin] if origin and origin.endswith(SOURCE) else []


def _inside(base: str, rest: list[str]) -> str | None:
    path = os.path.join(base, *rest)  # noqa: PTH118 - the same
    if Path(path).is_dir():
        return path + os.sep
    return path + SOURCE if Path(path + SOURCE).is_file() else None
