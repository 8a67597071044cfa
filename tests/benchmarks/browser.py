"""How long a browser takes to open a page: what it takes longer than an empty one."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tests.screenshot import BROWSERS

from .places import cost_of, passed

OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def seconds_to_open(page: Path) -> list[float]:
    """Seconds until the page is there and its scripts have run; empty where no browser is on PATH."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    return [_opened(browser, page.as_uri()) - _opened(browser, "about:blank")] if browser else []


def _opened(browser: str, url: str) -> float:
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *OPTIONS, f"--user-data-dir={profile}", "--dump-dom", url]
        return passed(cost_of(command, dict(os.environ)), url).seconds
