"""`python -m tests`: every check of the usual path."""

from __future__ import annotations

from .checks import faults_check, mutation_check, pytest_check, run, size_check, static_checks, suites_check

samples = [faults_check("--sample"), mutation_check("--verdict", "--sample", "40")]
others = [*static_checks(), suites_check(), size_check(), *samples]
raise SystemExit(run([[pytest_check("-m", "not slow", "--hypothesis-profile", "usual-path")], others]))
