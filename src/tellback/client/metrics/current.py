"""The book that adds go to now, and all the instruments that must hear of it when it is another one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tellback.client import chores, live
from tellback.client.metrics.book import Book

if TYPE_CHECKING:
    from tellback.client.spool import Spool

made: Final[dict[tuple[str, str], Any]] = {}
"""Every instrument there is, by type and name. They live as long as the process, whatever `init` and forks do."""

asked: Final[list[Callable[[], object]]] = []
"""Called by the keeper before each report: what measures instead of being told."""


def current() -> Book | None:
    """This process's book, made if there is none; None where nothing is recorded. Opens the gate."""
    spool = live.spool
    if spool is None:
        return None
    book = spool.begin_book(_open)
    if not book.closed:
        book.gate[0] = 1
    return book


def ask(what: Callable[[], object]) -> None:
    """Have `what` called before each report, in this process and its forks, from now on or from `init` on."""
    if not asked:
        live.begun.append(current)
    asked.append(what)
    current()


def _open(spool: "Spool") -> Book:
    for instrument in list(made.values()):
        instrument.forget()
    book = Book(spool, asked)
    chores.add(book)
    return book
