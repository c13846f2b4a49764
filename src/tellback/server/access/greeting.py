"""What the first start of an installation says, once."""

from tellback.server.access.gate import Access
from tellback.server.decisions import Decisions
from tellback.server.decisions.tables import Setting
from tellback.server.grant import WRITE

_GREETED = "greeted"


def greeting(access: Access, decisions: Decisions, url: str) -> str | None:
    """A link for the first person and a token for the first program; None after the first time.

    The mark is set before the two are made: to be greeted twice would leave an open link that nobody has.
    """
    with decisions.begin() as session:
        if session.get(Setting, _GREETED) is not None:
            return None
        session.add(Setting(key=_GREETED, value="1"))
    link = sign_in_link(access, url)
    token = access.new_token([WRITE]).token
    return f"sign-in link: {link}\nwrite token: {token}\n(shown once; the link works for 24 hours and for one sign-in)"


def sign_in_link(access: Access, url: str) -> str:
    return f"{url.rstrip('/')}/sign-in/{access.create_code()}"
