"""`python -m tests.screenshot` makes docs/report.png: the report of a run that failed on a fault of the sandbox.

A headless browser is needed on PATH: Debian's `chromium`, or another one of that family.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from .checks import ROOT
from .faults.running import run

PICTURE = ROOT / "docs" / "report.png"
FAULT = "restore-starts-afresh"
SIZE = "900,660"
LARGEST = 200_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def shoot(page: Path, picture: Path, profile: Path) -> None:
    """A picture of the page as a browser shows it.

    Raises:
        SystemExit: there is no browser, or the picture is too large to be committed.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"none of {', '.join(BROWSERS)} is on PATH")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking"]
    options += ["--virtual-time-budget=4000", f"--user-data-dir={profile}", f"--window-size={SIZE}"]
    command = [browser, *options, f"--screenshot={picture}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    if picture.stat().st_size > LARGEST:
        raise SystemExit(f"{picture} has {picture.stat().st_size} bytes, more than {LARGEST}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        run(FAULT, suites=["suites/lifecycle.robot"], keep=Path(made))
        shoot(Path(made) / "output" / "report.html", PICTURE, Path(made) / "browser")
    print(PICTURE)
