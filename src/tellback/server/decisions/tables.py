"""The tables as they are now; `migrations/` has how they came to be, and a test holds the two together.

Times are ns since epoch. A secret is kept as its SHA-256 only: it has 200 random bits, so a slow hash would add
nothing.
"""

from sqlalchemy import BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Token(Base):
    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(64))
    """Sorted, joined by spaces."""
    project: Mapped[str | None] = mapped_column(String(200))
    """Null when none was named: records go to the default project, questions see every one."""
    created: Mapped[int] = mapped_column(BigInteger)
    revoked: Mapped[int | None] = mapped_column(BigInteger)
    used: Mapped[int | None] = mapped_column(BigInteger)
    """Last use, some seconds late."""


class SignInCode(Base):
    __tablename__ = "sign_in_codes"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    scopes: Mapped[str] = mapped_column(String(64))
    expires: Mapped[int] = mapped_column(BigInteger)
    used: Mapped[int | None] = mapped_column(BigInteger)
    """First use."""


class Session(Base):
    __tablename__ = "sessions"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    scopes: Mapped[str] = mapped_column(String(64))
    project: Mapped[str | None] = mapped_column(String(200))
    token: Mapped[int | None] = mapped_column(ForeignKey("tokens.id"))
    """The token it was opened with: revoked, it ends the session too."""
    expires: Mapped[int] = mapped_column(BigInteger)


class Person(Base):
    __tablename__ = "people"

    user: Mapped[str] = mapped_column("user", Text, primary_key=True)
    team: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str | None] = mapped_column(Text)
    extra: Mapped[str] = mapped_column(Text, default="{}")
    """JSON object of the other columns of the imported file."""


class Setting(Base):
    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
