"""Opening hours: when a show plays, by the local time of day and the day of the week."""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import NamedTuple

from perform.files import Stamp, stamp

log = logging.getLogger(__name__)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAILY, CLOSED = "daily", "closed"


class Span(NamedTuple):
    """From a time of day to another; past midnight if that is no later."""

    opens: time
    closes: time

    @classmethod
    def read(cls, text: str) -> Span | None:
        """Of "10:00-18:00" or "20:00-02:00"; None for "closed". Raises ValueError with a sentence."""
        if text.strip().casefold() == CLOSED:
            return None
        match = re.fullmatch(r"(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)", text.strip())
        try:
            a, b, c, d = map(int, match.groups())  # type: ignore[union-attr]
            span = cls(time(a, b), time(c % 24 if (c, d) == (24, 0) else c, d))
        except (AttributeError, ValueError):
            raise ValueError(f"opening hours are written like 10:00-18:00, not {text!r}") from None
        if span.opens == span.closes and (c, d) != (24, 0):
            raise ValueError(f"opening hours {text!r} are empty")
        return span

    @property
    def overnight(self) -> bool:
        return self.closes <= self.opens


@dataclass(frozen=True, slots=True)
class Hours:
    """A week, Monday first: `moment in hours` says whether it is open then. What passes midnight ends the next day."""

    week: tuple[Span | None, ...]

    @classmethod
    def parse(cls, text: str) -> Hours:
        """The same every day. Raises ValueError with a sentence."""
        return cls((Span.read(text),) * 7)

    @classmethod
    def read(cls, table: Mapping[str, object]) -> Hours:
        """Of a show's [hours]: `daily`, and days that differ from it. Without `daily` the others are closed.

        Raises ValueError with a sentence; keys that are no days are passed over.
        """
        spans = {}
        for key in (DAILY, *DAYS):
            said = table.get(key, CLOSED if key == DAILY else None)
            if isinstance(said, str):
                spans[key] = Span.read(said)
            elif said is not None:
                raise ValueError(f"{key} is a text like 10:00-18:00, not {said!r}")
        return cls(tuple(spans.get(day, spans[DAILY]) for day in DAYS))

    def __contains__(self, moment: datetime) -> bool:
        today, yesterday = self.week[moment.weekday()], self.week[moment.weekday() - 1]
        hour = moment.time()
        if yesterday is not None and yesterday.overnight and hour < yesterday.closes:
            return True
        return today is not None and today.opens <= hour and (today.overnight or hour < today.closes)


@dataclass(slots=True)
class FileHours:
    """The opening hours that a show's file says, as it is now; None if it has none.

    While it cannot be read, or has a mistake there, those of before stay. Asking costs one look at the file.
    """

    path: Path
    _stamp: Stamp | None = None
    _hours: Hours | None = None

    def __call__(self) -> Hours | None:
        seen = stamp(self.path)
        if seen is not None and seen.size and seen != self._stamp:  # an editor may empty it on its way to saving it
            before = self._hours
            try:
                data = tomllib.loads(self.path.read_text("utf-8-sig"))
            except OSError:
                return self._hours
            except (ValueError, RecursionError):  # no show: who plays it says why, with the line
                self._stamp = seen
                return self._hours
            self._stamp = seen
            table = data.get("hours")
            try:
                self._hours = Hours.read(table) if isinstance(table, Mapping) else None
            except ValueError as e:  # nobody plays it while it is closed
                log.warning("%s: [hours]: %s; they stay as they were", self.path, e)
            if self._hours != before:
                log.info("opening hours: %s", "as the file says" if self._hours else "none any more")
        return self._hours
