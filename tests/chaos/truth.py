"""What really happened, asked past the proxies: the sandbox's journal and the propagator's own rows."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from PropagatorLibrary.client import RESTORE, PropagatorClient
from tests.end_to_end.journal import Journal

from .lifecycle import Lifecycle

CHECKPOINT_PATH, RESTORE_PATH = "/v2/checkpoint/pod", "/v2/restore/pod"
PERIOD = 1.0
"""Seconds between two looks: the journal forgets what is old."""


class Requests:
    """Reads the journal as it grows, and counts the checkpoints and restores that were accepted, by client."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal reader", daemon=True)
        self._since = 0.0
        self._accepted: set[tuple[Any, ...]] = set()

    def __enter__(self) -> Requests:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def accepted(self, path: str) -> Counter[str]:
        """How often each client's POST to that path was accepted."""
        return Counter(entry[1] for entry in self._accepted if entry[2] == path)

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            self._look()

    def _look(self) -> None:
        entries = self._journal.since(self._since)
        for entry in entries:
            if entry["verb"] == "POST" and entry["path"] in (CHECKPOINT_PATH, RESTORE_PATH) and entry["status"] == 200:
                self._accepted.add((entry["time"], entry["client"], entry["path"], entry["ms"]))


def doubles(lifecycles: list[Lifecycle], requests: Requests, direct: PropagatorClient) -> list[str]:
    """Checkpoints and restores that were made more than once, by the journal or by the propagator's rows."""
    actions = direct.list_actions()
    rows = Counter(
        ("checkpoint", _pod_of(each)) for each in actions if each.type != RESTORE and each.reason == "manual"
    )
    rows += Counter(("restore", _source_of(each)) for each in actions if each.type == RESTORE)
    found = []
    for one in lifecycles:
        for kind, path, key in (("checkpoint", CHECKPOINT_PATH, one.pod_uid), ("restore", RESTORE_PATH, one.action_id)):
            times = max(requests.accepted(path)[one.name], rows[kind, key] if key else 0)
            found += [f"{times} times {kind} of {one.name}"] if times > 1 else []
    return found


def _pod_of(action: Any) -> str:
    return str((action.details or {}).get("pod_id"))


def _source_of(action: Any) -> str:
    return str((action.details or {}).get("action_id"))
