"""The commands that the README tells its readers to type, so that CI and tests run the very same ones."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def command(heading: str) -> str:
    """The first fenced bash block under that heading.

    Raises:
        LookupError: there is no such heading, or no block under it.
    """
    section = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", README.read_text(), re.MULTILINE | re.DOTALL)
    block = section and re.search(r"^```bash\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL)
    if not block:
        raise LookupError(f"README.md has no bash block under {heading!r}")
    return block[1].strip()


if __name__ == "__main__":
    print(command(sys.argv[1]))
