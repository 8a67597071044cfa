"""Tests of the libraries, of the sandbox, and of the suites' own checks; `python -m tests` runs all usual checks."""
