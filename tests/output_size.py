"""`python -m tests.output_size DIRECTORY` holds what a run left against the size that it may have."""

from __future__ import annotations

import argparse
from pathlib import Path

LARGEST = 5_000_000
"""Bytes that the output directory of a run of all suites may have."""


def sizes(directory: Path) -> dict[str, int]:
    """The bytes of each file, by its path in the directory."""
    files = sorted(file for file in directory.rglob("*") if file.is_file())
    return {file.relative_to(directory).as_posix(): file.stat().st_size for file in files}


def main() -> None:
    """Runs the command; ends with 1 where it is too large, or where there is nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.output_size", description=__doc__)
    parser.add_argument("directory", type=Path)
    found = sizes(parser.parse_args().directory)
    print("\n".join(f"{size:>10} {name}" for name, size in found.items()))
    print(f"{sum(found.values()):>10} in all; {LARGEST} may be")
    raise SystemExit(not 0 < sum(found.values()) <= LARGEST)


if __name__ == "__main__":
    main()
