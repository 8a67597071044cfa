"""`python -m tests`: every check of the usual path."""

from __future__ import annotations

from .checks import pytest_check, run, static_checks, suites_check

raise SystemExit(run([*static_checks(), suites_check(), pytest_check("-m", "not slow")]))
