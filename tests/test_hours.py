from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from perform.hours import DAYS, FileHours, Hours

MONDAY = datetime(2026, 11, 30)


def at(day: str, hour: str) -> datetime:
    """A time in the week of MONDAY."""
    hours, minutes = map(int, hour.split(":"))
    return MONDAY + timedelta(days=DAYS.index(day), hours=hours, minutes=minutes)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("10:00-18:00", ["10:00", "17:59"], ["09:59", "18:00"]),
        ("20:00 – 2:00", ["20:00", "23:59", "01:59"], ["02:00", "19:59"]),
        ("9:30-24:00", ["09:30", "23:59"], ["00:00"]),
        ("00:00-24:00", ["00:00", "12:00", "23:59"], []),
        ("closed", [], ["00:00", "12:00"]),
    ],
)
def test_the_same_every_day(text: str, inside: list[str], outside: list[str]) -> None:
    hours = Hours.parse(text)
    for day in DAYS:
        assert all(at(day, hour) in hours for hour in inside)
        assert not any(at(day, hour) in hours for hour in outside)


@pytest.mark.parametrize("text", ["10-18", "25:00-26:00", "10:00", "10:00-10:00", ""])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="opening hours"):
        Hours.parse(text)


def test_a_week_with_a_closed_day_and_a_long_one() -> None:
    hours = Hours.read({"daily": "10:00-18:00", "monday": "closed", "thursday": "10:00-21:00"})
    assert at("tuesday", "12:00") in hours
    assert at("monday", "12:00") not in hours
    assert at("thursday", "20:59") in hours
    assert at("friday", "20:00") not in hours


def test_a_night_ends_the_next_morning_and_a_day_that_is_not_named_is_closed() -> None:
    hours = Hours.read({"sunday": "22:00-04:00"})
    assert at("sunday", "22:00") in hours
    assert at("monday", "03:59") in hours
    assert at("monday", "04:00") not in hours
    assert at("sunday", "03:00") not in hours
    assert at("monday", "23:00") not in hours


def write(path: Path, text: str) -> None:
    """As an editor saves: another file in its place."""
    other = path.with_suffix(".new")
    other.write_text(text, "utf-8")
    os.replace(other, path)


def test_the_file_is_followed_and_a_slip_in_it_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "show.toml"
    hours = FileHours(path)
    assert hours() is None
    write(path, '[hours]\ndaily = "10:00-18:00"\n')
    assert hours() == Hours.parse("10:00-18:00")
    for slip in ('[hours]\ndaily = "10-19"\n', "[hours\n", "[hours]\ndaily = 10\n", "\N{BYTE ORDER MARK}[", ""):
        write(path, slip)
        assert hours() == Hours.parse("10:00-18:00")
    assert "[hours]: opening hours are written like 10:00-18:00, not '10-19'; they stay as they were" in caplog.text
    path.unlink()
    assert hours() == Hours.parse("10:00-18:00")
    write(path, '[hours]\ndaily = "10:00-19:00"\n')
    assert hours() == Hours.parse("10:00-19:00")
    write(path, "[show]\n")
    assert hours() is None
