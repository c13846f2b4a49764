"""Tokens, sign-in codes, sessions, people, settings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("project", sa.String(200)),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
        sa.Column("used", sa.BigInteger),
    )
    op.create_table(
        "sign_in_codes",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("used", sa.BigInteger),
    )
    op.create_table(
        "sessions",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("project", sa.String(200)),
        sa.Column("token", sa.Integer, sa.ForeignKey("tokens.id")),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "people",
        sa.Column("user", sa.Text, primary_key=True),
        sa.Column("team", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("extra", sa.Text, nullable=False),
    )
    op.create_table(
        "settings",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
