"""Times as the API shows them."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)


def shown(moment: datetime | None) -> str | None:
    """RFC 3339 with microseconds and a Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None


def nanoseconds(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else round((end - start).total_seconds() * 1_000_000_000)


def age(moment: datetime | None) -> str:
    """How long ago, in the largest unit that fits, as kubectl shows it."""
    seconds = int((now() - moment).total_seconds()) if moment else 0
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
