"""Moments in China time, whatever the host's zone. Pure stages are handed a moment and never ask for one."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


def now() -> datetime:
    """The present moment in China time (only engine, cli, service and sandbox may ask)."""
    return datetime.now(CHINA)


def iso(moment: datetime) -> str:
    """`2026-11-23T18:00:00.000000+08:00`: fixed width, so text order is time order."""
    return moment.astimezone(CHINA).isoformat(timespec="microseconds")


def parse(text: str) -> datetime:
    """The moment that `iso` wrote."""
    return datetime.fromisoformat(text).astimezone(CHINA)


def digits14(moment: datetime) -> str:
    """`yyyyMMddHHmmss`, as DDate and the message id want it."""
    return moment.astimezone(CHINA).strftime("%Y%m%d%H%M%S")


def send_time(moment: datetime) -> str:
    """`yyyy-MM-ddTHH:mm:ss` without zone, as the envelope's send_time wants it."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%dT%H:%M:%S")


def day(moment: datetime, day_starts: str = "00:00") -> date:
    """The working day of a moment: it begins at `day_starts` (HH:MM, China time)."""
    hours, minutes = (int(part) for part in day_starts.split(":"))
    return (moment.astimezone(CHINA) - timedelta(hours=hours, minutes=minutes)).date()
