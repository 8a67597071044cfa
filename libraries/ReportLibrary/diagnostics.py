"""Collects what is known of a failure, before clean-up takes it away: from the cluster, and what libraries offer.

Side by side, so that nothing that hangs keeps the rest away. It goes on past its own failures, says what it could not
get and why, and ends within its time and its size. Secrets are not asked for, and values of environment variables and
ConfigMaps not written.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotDone
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes import client

from harness.kube import Cluster, answers_unread, api_errors
from harness.secrets import SECRETS
from harness.side_by_side import SideBySide
from harness.sources import Tale

from . import describe
from .facts import nodes_of
from .seen import Seen

WITHIN = 20.0
"""Seconds for all of it."""
ONE_CALL = 3.0
"""Seconds that a call may wait for its connection and then for each part of its answer. None begins, and no answer is
read on, later than twice this before the end."""
LOG_LINES = 1000
LOG_BYTES = 1024 * 1024
"""Of each log its last lines; of lines so long that they are more than this, the first bytes."""
MOST_PODS = 20
"""Pods of a namespace whose logs are read: those that are not Running first, then those on the workloads' nodes."""
MOST_BYTES = 20 * 1024 * 1024
"""Of all files together."""


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
    seconds: float = field(default_factory=lambda: WITHIN - 2 * ONE_CALL)
    start: float = field(init=False)

    def __post_init__(self) -> None:
        self.start = self.clock()

    def check(self) -> None:
        """Raises `TimeUp` when no more may be begun."""
        if self.clock() - self.start >= self.seconds:
            raise TimeUp

    @property
    def left(self) -> float:
        """Seconds until everything must have ended."""
        return max(0.0, self.start + self.seconds + ONE_CALL - self.clock())


class TimeUp(Exception):
    """The time for diagnostics is over."""

    def __str__(self) -> str:
        return f"not collected: the time for diagnostics ({WITHIN:g} s) was over"


class Collector:
    """Collects into one directory, from one cluster where there is one.

    Attributes:
        found: everything that was looked for.
        seen: what the cluster told, for a diagnosis.
    """

    def __init__(
        self,
        cluster: Cluster | None,
        directory: Path,
        budget: Budget | None = None,
        *,
        cedana_namespace: str = "cedana-system",
    ) -> None:
        self._cluster = cluster
        self._directory = directory
        self._budget = budget or Budget()
        self._beside = SideBySide()
        self._begun: list[tuple[str, str, Future[str]]] = []
        self._size = 0
        self.found: list[Found] = []
        self.seen = Seen(cedana_namespace)
        self._kept = {
            "list_namespaced_pod": self.seen.pods,
            "list_namespaced_event": self.seen.events,
            "list_namespaced_resource_quota": self.seen.quotas,
        }

    def collect(self, namespaces: Iterable[str], tales: Sequence[Tale] = (), *, elsewhere: bool = False) -> list[Found]:
        """Everything of those namespaces, the nodes, and what is offered; a log of each container that is there.

        Args:
            elsewhere: the pods of all other namespaces, too, for one that is missed may be there.
        """
        names = [name for name in dict.fromkeys(namespaces) if name]
        try:
            lists = self._ask(self._cluster, names) if self._cluster else []
            if self._cluster and elsewhere:
                lists.append(self._list("pods of all namespaces", "list_pod_for_all_namespaces", "", describe.places))
            for tale in tales:
                self._begin(tale.title, f"{tale.title}.txt", tale.tell)
            for future in lists:
                self._wait(future)
            for name in names:
                for pod in sorted(self.seen.pods.get(name, []), key=self._rank)[:MOST_PODS]:
                    self._logs(name, pod)
            for title, file_name, future in self._begun:
                self._keep(title, file_name, future)
        finally:
            self._beside.end()
        return self.found

    def _ask(self, cluster: Cluster, names: list[str]) -> list[Future[str]]:
        """Begins what needs nothing else; gives what the logs need."""
        lists = []
        for name in names:
            lists.append(self._namespace(name))
            lists.append(self._list(f"pods of {name}", "list_namespaced_pod", name, describe.pods))
            lists.append(self._list(f"events of {name}", "list_namespaced_event", name, describe.events))
            lists.append(self._list(f"quotas of {name}", "list_namespaced_resource_quota", name, describe.quotas))
            self._list(f"limit ranges of {name}", "list_namespaced_limit_range", name, describe.limit_ranges)
            self._list(f"ConfigMaps of {name}", "list_namespaced_config_map", name, describe.config_maps)
        lists.append(self._list("nodes", "list_node", "", describe.nodes))
        self._begin("versions", "versions.txt", lambda: self._versions(cluster))
        return lists

    def _rank(self, pod: Any) -> tuple[bool, bool]:
        running = pod.get("status", {}).get("phase") == "Running"
        return running, pod["spec"].get("nodeName") not in nodes_of(self.seen)

    def _list(self, title: str, call: str, namespace: str, text_of: Callable[[list[Any]], str]) -> Future[str]:
        def text() -> str:
            place = (namespace,) if namespace else ()
            items = json.loads(self._read(call, *place)).get("items") or []
            if call == "list_node":
                self.seen.nodes[:] = items
            elif call == "list_pod_for_all_namespaces":
                self.seen.elsewhere[:] = items
            elif call in self._kept:
                self._kept[call][namespace] = items
            return text_of(items)

        return self._begin(title, f"{title}.txt", text)

    def _namespace(self, name: str) -> Future[str]:
        def text() -> str:
            self.seen.namespaces[name] = json.loads(self._read("read_namespace", name))
            return describe.namespace(self.seen.namespaces[name])

        return self._begin(f"namespace {name}", f"namespace {name}.txt", text)

    def _logs(self, namespace: str, pod: Any) -> None:
        name, status = pod["metadata"]["name"], pod.get("status", {})
        for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            self._log(namespace, name, container["name"], previous=False)
            if container.get("restartCount"):
                self._log(namespace, name, container["name"], previous=True)

    def _log(self, namespace: str, pod: str, container: str, *, previous: bool) -> None:
        options = {"container": container, "previous": previous, "timestamps": True}

        def text() -> str:
            read = self._read(
                "read_namespaced_pod_log", pod, namespace, tail_lines=LOG_LINES, limit_bytes=LOG_BYTES, **options
            )
            (self.seen.previous if previous else self.seen.logs)[namespace, pod, container] = read
            return read

        title = f"{'previous ' if previous else ''}log of {namespace}/{pod} {container}"
        self._begin(title, f"{namespace} {pod} {container}{'.previous' if previous else ''}.log", text)

    def _versions(self, cluster: Cluster) -> str:
        served = client.VersionApi(cluster.api_client).get_code(_request_timeout=(ONE_CALL, ONE_CALL)).git_version
        return describe.versions(served)

    def _begin(self, title: str, file_name: str, text: Callable[[], str]) -> Future[str]:
        def checked() -> str:
            self._budget.check()
            with api_errors(f"tell the {title}"):
                return text()

        future = self._beside.begin(checked)
        self._begun.append((title, file_name, future))
        return future

    def _wait(self, future: Future[str]) -> None:
        """Waits until it has ended, however it did."""
        try:
            future.exception(self._budget.left)
        except NotDone:
            return

    def _result(self, future: Future[str]) -> str:
        try:
            return future.result(self._budget.left)
        except NotDone:
            future.cancel()
            raise TimeUp from None

    def _keep(self, title: str, file_name: str, future: Future[str]) -> None:
        """Writes the text that comes, or notes why none does."""
        try:
            file = self._write(file_name, SECRETS.redact(self._result(future)).encode(errors="replace"))
        except Exception as problem:  # diagnosis must not become a failure of its own
            self.found.append(Found(title, None, SECRETS.redact(getattr(problem, "seen", "") or str(problem))))
        else:
            self.found.append(Found(title, file))

    def _write(self, file_name: str, content: bytes) -> Path:
        if self._size + len(content) > MOST_BYTES:
            raise OSError(f"not kept: all files together would be larger than {MOST_BYTES // 1024 // 1024} MiB")
        self._directory.mkdir(parents=True, exist_ok=True)
        file = self._directory / safe_name(file_name)
        file.write_bytes(content)
        self._size += len(content)
        return file

    def _read(self, call: str, *arguments: str, **options: Any) -> str:
        """The answer of a call of the official client as text, no more than some bytes and seconds of it."""
        assert self._cluster is not None
        function = getattr(self._cluster.core, call)  # the client of the thread that is at work
        with answers_unread():
            response = function(*arguments, **options, _preload_content=False, _request_timeout=(ONE_CALL, ONE_CALL))
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
