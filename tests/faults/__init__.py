"""The checks are tested: the suites are run against a sandbox that misbehaves in each way that it knows."""
