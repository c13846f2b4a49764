"""Which values are pushed: as scales' pushers have it, `allow`, `forbid` and `prune` with shell patterns."""

from fnmatch import fnmatchcase


class Rules:
    """Patterns over dotted paths without the prefix, such as `request_time.p99`."""

    def __init__(self) -> None:
        self._rules: list[tuple[str, bool]] = []
        self._pruned: list[str] = []

    def allow(self, pattern: str) -> None:
        """Push what matches, unless a newer rule forbids it."""
        self._rules.append((pattern, True))

    def forbid(self, pattern: str) -> None:
        """Do not push what matches, unless a newer rule allows it. What no rule speaks of is forbidden."""
        self._rules.append((pattern, False))

    def prune(self, pattern: str) -> None:
        """Push nothing at or below a path that matches, whatever else is allowed."""
        self._pruned.append(pattern)

    def allows(self, path: str) -> bool:
        parts = path.split(".")
        heads = [".".join(parts[: end + 1]) for end in range(len(parts))]
        if any(fnmatchcase(head, pattern) for head in heads for pattern in self._pruned):
            return False
        return next((allowed for pattern, allowed in reversed(self._rules) if fnmatchcase(path, pattern)), False)
