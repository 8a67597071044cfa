"""`python -m tests`: every check of the usual path."""

from __future__ import annotations

from .checks import faults_check, mutation_check, pytest_check, run, size_check, static_checks, suites_check

samples = [faults_check("--sample"), mutation_check("--verdict", "--sample", "40")]
beside = [[suites_check(), size_check()], [*static_checks(), *samples]]
raise SystemExit(run(beside, [[pytest_check("-m", "not slow")]]))
