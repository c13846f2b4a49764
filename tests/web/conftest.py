"""The pages in front of the made-up firm."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_browser import Browser, signed_in
from made_up_firm import Firm


@pytest.fixture(scope="session")
def firm_of_the_session() -> Firm:
    return Firm()


@pytest.fixture
def firm(firm_of_the_session: Firm) -> Firm:
    """A firm of one's own; its records are made once, since no test changes them."""
    mine = Firm(empty=True, now=firm_of_the_session.now)
    mine.empty, mine.people, mine.records = False, firm_of_the_session.people, firm_of_the_session.records
    return mine


@pytest.fixture
def outside(firm: Firm) -> Browser:
    """A browser that is not signed in."""
    return Browser(firm.web())


@pytest.fixture
def browser(firm: Firm) -> Browser:
    """A browser that is signed in as admin."""
    return signed_in(firm, "admin")
