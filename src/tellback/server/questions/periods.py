"""Days, ISO weeks and months: the parameter and the SQL that finds a day's period."""

from typing import Annotated, Literal

import msgspec

from tellback.server.questions.filters import Filters

Period = Literal["day", "week", "month"]

OF_DAY: dict[str, str] = {"day": "day", "week": "week_of(day)", "month": "month_of(day)"}


class ByMonth(Filters, frozen=True, kw_only=True):
    period: Annotated[Period, msgspec.Meta(description="Weeks are ISO, in the reporting zone.")] = "month"


class ByWeek(Filters, frozen=True, kw_only=True):
    period: Annotated[Period, msgspec.Meta(description="Weeks are ISO, in the reporting zone.")] = "week"
