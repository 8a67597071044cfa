"""Collects what a cluster knows about a failure, before clean-up takes it away: pods, events, logs, nodes.

It goes on past its own failures, says what it could not get and why, and ends within its time. Secrets are not asked
for, and environment values not written.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.kube import Cluster, api_errors
from harness.secrets import SECRETS

from . import describe

WITHIN = 20.0
"""Seconds for all of it."""
ONE_CALL = 3.0
"""Seconds that a call may wait for its connection and then for each part of its answer. None begins, and no answer is
read on, later than twice this before the end."""
LOG_LINES = 1000
LOG_BYTES = 1024 * 1024
"""Of each log its last lines; of lines so long that they are more than this, the first bytes."""
MOST_PODS = 20
"""Pods of a namespace whose logs are read, those that are not Running first."""


@dataclass(frozen=True)
class Found:
    """One thing that was looked for: its file, or why there is none."""

    title: str
    file: Path | None
    problem: str = ""


@dataclass
class Budget:
    """The time that is left for starting calls."""

    clock: Callable[[], float] = time.monotonic
    seconds: float = WITHIN - 2 * ONE_CALL
    start: float = field(init=False)

    def __post_init__(self) -> None:
        self.start = self.clock()

    def check(self) -> None:
        """Raises `TimeUp` when no more may be begun."""
        if self.clock() - self.start >= self.seconds:
            raise TimeUp


class TimeUp(Exception):
    """The time for diagnostics is over."""

    def __str__(self) -> str:
        return f"not collected: the time for diagnostics ({WITHIN:g} s) was over"


class Collector:
    """Collects from one cluster into one directory."""

    def __init__(self, cluster: Cluster, directory: Path, budget: Budget | None = None) -> None:
        self._cluster = cluster
        self._directory = directory
        self._budget = budget or Budget()
        self.found: list[Found] = []

    def collect(self, namespaces: Iterable[str]) -> list[Found]:
        """Everything of those namespaces, and the nodes; what is cheap and tells most comes first."""
        names = list(dict.fromkeys(name for name in namespaces if name))
        core = self._cluster.core
        pods = {name: self._listed(f"pods of {name}", core.list_namespaced_pod, name, describe.pods) for name in names}
        for name in names:
            self._listed(f"events of {name}", core.list_namespaced_event, name, describe.events)
        self._listed("nodes", core.list_node, "", describe.nodes)
        for name in names:
            for pod in sorted(pods[name], key=_runs)[:MOST_PODS]:
                self._logs(name, pod)
        return self.found

    def _listed(self, title: str, call: Any, namespace: str, text_of: Callable[[list[Any]], str]) -> list[Any]:
        items: list[Any] = []

        def text() -> str:
            place = (namespace,) if namespace else ()
            items.extend(json.loads(self._read(call, *place)).get("items") or [])
            return text_of(items)

        self._keep(title, f"{title}.txt", text)
        return items

    def _logs(self, namespace: str, pod: Any) -> None:
        name, status = pod["metadata"]["name"], pod.get("status", {})
        for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            self._log(namespace, name, container["name"], previous=False)
            if container.get("restartCount"):
                self._log(namespace, name, container["name"], previous=True)

    def _log(self, namespace: str, pod: str, container: str, *, previous: bool) -> None:
        title = f"{'previous ' if previous else ''}log of {namespace}/{pod} {container}"
        options = {"container": container, "previous": previous, "timestamps": True}
        call = self._cluster.core.read_namespaced_pod_log

        def text() -> str:
            return self._read(call, pod, namespace, tail_lines=LOG_LINES, limit_bytes=LOG_BYTES, **options)

        self._keep(title, f"{namespace} {pod} {container}{'.previous' if previous else ''}.log", text)

    def _keep(self, title: str, file_name: str, text: Callable[[], str]) -> None:
        """Writes what `text` gives, or notes why it could not."""
        try:
            self._budget.check()
            with api_errors(f"tell the {title}"):
                content = text()
            file = self._directory / safe_name(file_name)
            self._directory.mkdir(parents=True, exist_ok=True)
            file.write_text(SECRETS.redact(content), "utf-8")
        except Exception as problem:  # diagnosis must not become a failure of its own
            self.found.append(Found(title, None, SECRETS.redact(getattr(problem, "seen", "") or str(problem))))
        else:
            self.found.append(Found(title, file))

    def _read(self, call: Any, *arguments: str, **options: Any) -> str:
        """The answer of a call of the official client as text, no more than some bytes and seconds of it."""
        response = call(*arguments, **options, _preload_content=False, _request_timeout=(ONE_CALL, ONE_CALL))
        try:
            content = b""
            for part in response.stream(64 * 1024):
                self._budget.check()
                content += part
            return content.decode(errors="replace")
        finally:
            response.close()


def safe_name(text: str) -> str:
    """`text` as the name of a file on any system."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:150] or "unnamed"


def fresh_directory(parent: Path, name: str) -> Path:
    """A directory of that name in `parent`, or with a number behind it where there is one already. Not made yet."""
    wanted = parent / safe_name(name)
    numbers = (wanted.with_name(f"{wanted.name}-{number}") for number in range(2, 1000))
    return next(path for path in (wanted, *numbers) if not path.exists())


def _runs(pod: Any) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Running")
