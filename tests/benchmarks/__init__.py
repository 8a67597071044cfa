"""What the harness costs, measured: `python -m tests.benchmarks`. Figures and ratios for people, never assertions."""
