"""Who may do what: tokens for programs, sign-in links and sessions for people."""

from tellback.server.access.gate import Access, NewToken, TokenInfo
from tellback.server.access.greeting import greeting, sign_in_link
from tellback.server.access.secrets import redact

__all__ = ["Access", "NewToken", "TokenInfo", "greeting", "redact", "sign_in_link"]
