"""`python -m tests.full`: every check of the usual path with more random examples, and those that take long."""

from __future__ import annotations

from .checks import (
    chaos_check,
    faults_check,
    mutation_check,
    pytest_check,
    run,
    size_check,
    static_checks,
    suites_check,
)

if __name__ == "__main__":
    slow = [faults_check(), chaos_check(), pytest_check(), mutation_check()]
    raise SystemExit(run([[suites_check(), size_check()], static_checks()], [slow]))
