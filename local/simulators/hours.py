"""When a market that sleeps is awake: weekly hours in the exchange's own zone.

Holidays are not known; the control endpoint closes what has to be closed.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)
_MIDNIGHT = time(0)


@dataclass(frozen=True)
class Span:
    """From one time of a weekday to another; `closes` at midnight is the end of the day."""

    weekday: int
    opens: time
    closes: time

    def holds(self, local: datetime) -> bool:
        """Whether a local time lies in it, its first instant included and its last not."""
        now = local.time()
        before_end = self.closes == _MIDNIGHT or now < self.closes
        return local.weekday() == self.weekday and self.opens <= now and before_end

    def end_on(self, day: datetime) -> datetime:
        """The instant it ends on a day of its weekday."""
        whole_day = timedelta(days=1 if self.closes == _MIDNIGHT else 0)
        return datetime.combine(day.date() + whole_day, self.closes, day.tzinfo)


@dataclass(frozen=True)
class Session:
    """A week of trading hours; no spans at all is always open."""

    zone: str
    spans: tuple[Span, ...] = ()

    def is_open(self, at: datetime) -> bool:
        """Whether it trades at this instant."""
        local = at.astimezone(ZoneInfo(self.zone))
        return not self.spans or any(span.holds(local) for span in self.spans)

    def last_close(self, at: datetime) -> datetime:
        """The last time it closed, for an instant at which it is closed."""
        local = at.astimezone(ZoneInfo(self.zone))
        days = [local - timedelta(days=back) for back in range(8)]
        ends = (
            span.end_on(day) for day in days for span in self.spans if span.weekday == day.weekday()
        )
        return max(end for end in ends if end <= local)


def _weekdays(zone: str, opens: time, closes: time) -> Session:
    return Session(zone, tuple(Span(day, opens, closes) for day in range(MONDAY, SATURDAY)))


def _around_the_clock(closes: time, opens: time) -> Session:
    """New York's Sunday evening to Friday, with a break each day where the two times differ."""
    evenings = tuple(
        Span(day, opens, _MIDNIGHT) for day in (SUNDAY, MONDAY, TUESDAY, WEDNESDAY, THURSDAY)
    )
    days = tuple(Span(day, _MIDNIGHT, closes) for day in range(MONDAY, SATURDAY))
    return Session("America/New_York", evenings + days)


ALWAYS = Session("UTC")
US_SHARES = _weekdays("America/New_York", time(9, 30), time(16))
FOREX = _around_the_clock(closes=time(17), opens=time(17))
FUTURES = _around_the_clock(closes=time(17), opens=time(18))
CRUDE = _around_the_clock(closes=time(16, 59), opens=time(18, 10))
FRANKFURT = _weekdays("Europe/Berlin", time(1, 15), time(22))
LONDON = _weekdays("Europe/London", time(1), time(21))
HONG_KONG = _weekdays("Asia/Hong_Kong", time(9, 15), time(16, 30))
