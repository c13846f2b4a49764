"""Who may do what: tokens for programs, sign-in links and sessions for people."""

from tellback.server.access.gate import Access

__all__ = ["Access"]
