"""What an exception says of itself: its text, its frames, what caused it, and what a group holds."""

from typing import Any, Final

from tellback.client.clean import text, type_name
from tellback.client.frames import frames
from tellback.client.mask import masked

MAX_CAUSES: Final = 5
"""Of one exception."""

MAX_MEMBERS: Final = 20
"""Of all groups in one record; further ones are counted."""

_MAX_TEXT: Final = 8_192
_DEEPEST: Final = 4  # groups inside of groups

# Read through the base class: a host's class may have made properties of these names.
_cause = BaseException.__dict__["__cause__"].__get__
_context = BaseException.__dict__["__context__"].__get__
_suppressed = BaseException.__dict__["__suppress_context__"].__get__
_traceback = BaseException.__dict__["__traceback__"].__get__
_members = BaseExceptionGroup.__dict__["exceptions"].__get__


def message_of(error: BaseException) -> str:
    """The text of an exception, secrets masked.

    The one place where a host's `__str__` may run: an exception is made to be printed, and its text is often all that
    helps. A text that raises becomes a word about it. docs/decisions/0012.
    """
    try:
        return masked(text(str.__str__(str(error)), _MAX_TEXT)[0])
    except Exception as broken:
        return f"<its text raised {type_name(type(broken))}>"


def described(error: BaseException) -> dict[str, Any]:
    """`frames`, `causes` (nearest first) and, of a group, `members`, each with its own frames, causes and members."""
    return _described(error, {id(error)}, [MAX_MEMBERS], _DEEPEST)


def _described(error: BaseException, seen: set[int], room: list[int], depth: int) -> dict[str, Any]:
    out: dict[str, Any] = {"frames": frames(_traceback(error))}
    causes: list[dict[str, Any]] = []
    inner = error
    while len(causes) < MAX_CAUSES:
        how, following = "cause", _cause(inner)
        if following is None and not _suppressed(inner):
            how, following = "context", _context(inner)
        if following is None or id(following) in seen:
            break
        seen.add(id(following))
        cause = {"how": how, **_named(following), "frames": frames(_traceback(following))}
        if isinstance(following, BaseExceptionGroup):
            cause.update(_group(following, seen, room, depth))
        causes.append(cause)
        inner = following
    if causes:
        out["causes"] = causes
    if isinstance(error, BaseExceptionGroup):
        out.update(_group(error, seen, room, depth))
    return out


def _group(error: BaseException, seen: set[int], room: list[int], depth: int) -> dict[str, Any]:
    members = _members(error)
    told: list[dict[str, Any]] = []
    for member in members:
        if room[0] <= 0 or depth <= 0:
            break
        room[0] -= 1
        if id(member) in seen:  # one exception in several groups: told once
            told.append(_named(member))
            continue
        seen.add(id(member))
        told.append({**_named(member), **_described(member, seen, room, depth - 1)})
    out: dict[str, Any] = {"members": told}
    if len(told) < len(members):
        out["members_left_out"] = len(members) - len(told)
    return out


def _named(error: BaseException) -> dict[str, Any]:
    return {"type": type_name(type(error)), "message": message_of(error)}
