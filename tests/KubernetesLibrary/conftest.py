"""The fake API of the harness's tests, for what a healthy cluster does not do."""

from __future__ import annotations

from tests.harness.conftest import _own_ledger, api, cluster

__all__ = ["_own_ledger", "api", "cluster"]
