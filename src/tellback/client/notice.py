"""Words for the people who run the host program, by the logger `tellback`. Each is said once, until it is over."""

_said: set[str] = set()
_debug = False


def say(message: str, level: str = "warning") -> None:
    """Log a sentence. Never raises: the host's handlers may."""
    try:
        import logging  # only when there is something to say: it would double the time of import

        getattr(logging.getLogger("tellback"), level)("%s", message)
    except Exception:  # noqa: S110 -- there is nobody left to tell
        pass


def quiet() -> None:
    """No more details."""
    global _debug
    _debug = False


def once(topic: str, message: str) -> None:
    """Say it unless it was said already."""
    if topic not in _said:
        _said.add(topic)
        say(message)


def forget(topic: str) -> None:
    """It is over: the next time it is said again."""
    _said.discard(topic)


def detail(message: str) -> None:
    """What only somebody who debugs wants to read (TELLBACK_DEBUG)."""
    if _debug:
        say(message, "debug")


def audible() -> None:
    """For `debug`: everything is said, on standard error if the host has no handlers of its own."""
    global _debug
    import logging

    _debug = True
    logger = logging.getLogger("tellback")
    logger.setLevel(logging.DEBUG)
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())
