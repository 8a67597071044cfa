"""`python -m tests`: every check of the usual path."""

from __future__ import annotations

from .checks import faults_check, pytest_check, run, static_checks, suites_check

raise SystemExit(run([*static_checks(), suites_check(), faults_check("--sample"), pytest_check("-m", "not slow")]))
