"""Helm's operations as reports show them: what was asked of which release, and whether it went well; no values."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from harness.exchanges import EXCHANGES, HELM

from .releases import HelmError


@contextmanager
def noted(operation: str, *about: str) -> Iterator[None]:
    """Around an operation; `about` are the release, and the chart where there is one."""
    begun, status, words = time.monotonic(), "failed", "no answer"
    try:
        yield
        status, words = "ok", ""
    except HelmError as problem:
        words = problem.words
        raise
    finally:
        shown = " ".join(word for word in about if word)
        EXCHANGES.note(operation, shown, status, time.monotonic() - begun, answer=words, to=HELM)
