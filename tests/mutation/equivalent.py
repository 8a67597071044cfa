"""Mutants that no test can tell from the code as it is, named in equivalent.txt with the reason."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("equivalent.txt")


def named(text: str | None = None) -> dict[str, str]:
    """The mutants' keys, and why they change nothing.

    In the file a reason is a line that begins with `#`, and holds for the lines after it, to the next empty one.

    Raises:
        ValueError: a mutant has no reason, or is named twice.
    """
    found: dict[str, str] = {}
    reason = ""
    for line in (FILE.read_text() if text is None else text).splitlines():
        if not line.strip():
            reason = ""
        elif line.startswith("#"):
            reason = f"{reason} {line.lstrip('# ')}".strip()
        elif not reason or line in found:
            raise ValueError(f"{line}: {'named twice' if line in found else 'without a reason'}")
        else:
            found[line] = reason
    return found
