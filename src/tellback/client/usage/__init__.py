"""`tellback.usage`: which functions are ever called, which lines run, and where the time goes.

packages, inventory    what there is
monitor, sampler       who watches: every call on Python 3.12 and newer, samples on 3.11
recorder, hotspots     what was seen and not yet told
watch                  puts them together for this process
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tellback.client.usage.watch import Watch

__all__ = ["start", "stop"]

_watch: "Watch | None" = None


def start(packages: Iterable[str], *, lines: bool = False, hotspots: bool = False) -> None:
    """Record which functions of `packages` are called, as small sets in records of kind `usage`. After `init`.

    On Python 3.12 and newer every function that is called is seen, at the cost of its first call. On 3.11 all threads'
    stacks are sampled 50 times a second: what is seen was called, what is not may have been called all the same.
    `lines`: which lines as well. `hotspots`: also whole stacks (names only, no values), as records of kind `profile`;
    they are sampled on every Python.

    The functions that exist are read from the source and told once for each release and machine. The question
    `usage.functions` puts the two together. Functions are named as Python does (`co_qualname`); lambdas and
    comprehensions are not listed. Called again, it starts anew. Never raises.
    """
    global _watch
    try:
        from tellback.client.usage.watch import Watch

        stop()
        names = [packages] if isinstance(packages, str) else list(packages)
        watch = Watch(names, lines=lines, hotspots=hotspots)
        if watch.begin():
            _watch = watch
    except Exception as error:
        from tellback.client import notice

        notice.say(f"Usage is not watched: {type(error).__name__}: {error}.")


def stop() -> None:
    """Tell what was seen, and watch no more. Never raises."""
    global _watch
    watch, _watch = _watch, None
    if watch is not None:
        watch.stop()
