"""Readiness, liveness and startup probes, judged by what the emulated container would answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ...runtime import Container, NotHttp, Refused, Request, Runtime
from ...runtime.http import listening
from ...runtime.shell.tokens import Unsupported
from .status import Known

if TYPE_CHECKING:
    from .containers import Containers

Object = dict[str, Any]
Report = Callable[["Prober", bool | None, str], None]
"""Takes the probe, its verdict (None: not settled, the threshold is not reached), and what a failing one said."""
_SOON = 0.02


class Target(NamedTuple):
    """What is probed."""

    pod_uid: str
    address: str
    container: Container


class Prober:
    """One probe of one container, from its start to its end. Reports when the answer counts (thresholds)."""

    def __init__(self, runtime: Runtime, target: Target, kind: str, report: Report) -> None:
        self.runtime = runtime
        self.pod_uid, self.address, self.container = target
        self.kind = kind
        self.spec: Object = self.container.setup.spec[f"{kind}Probe"]
        self.report = report
        self._run = 0
        self._last: bool | None = None
        delay = max(self.spec.get("initialDelaySeconds") or 0, _SOON)
        self._timer = asyncio.get_running_loop().call_later(delay, self._probe)

    def stop(self) -> None:
        """No more probes."""
        self._timer.cancel()

    def _probe(self) -> None:
        if not self.container.running:
            return
        period = self.spec.get("periodSeconds") or 10
        self._timer = asyncio.get_running_loop().call_later(period, self._probe)
        holds, output = self.check()
        self._run = self._run + 1 if holds == self._last else 1
        self._last = holds
        threshold = self.spec.get("successThreshold" if holds else "failureThreshold") or (1 if holds else 3)
        self.report(self, holds if self._run >= threshold else None, output)

    def check(self) -> tuple[bool, str]:
        """Whether the probe succeeds now, and what a failing one says."""
        if "exec" in self.spec:
            return self._exec(self.spec["exec"].get("command") or [])
        if "httpGet" in self.spec:
            return self._http(self.spec["httpGet"])
        how = "tcpSocket" if "tcpSocket" in self.spec else "grpc"
        port = self._port((self.spec.get(how) or {}).get("port"))
        if port in listening(self.container):
            return True, ""
        if how == "grpc":
            return (
                False,
                f'timeout: failed to connect service "{self.address}:{port}" within 1s: context deadline exceeded',
            )
        return False, f"dial tcp {self.address}:{port}: connect: connection refused"

    def _exec(self, command: list[str]) -> tuple[bool, str]:
        output: list[bytes] = []
        try:
            machine = self.runtime.run(self.container, command, lambda _at, _stream, data: output.append(data))
            machine.advance(self.runtime.now() + int((self.spec.get("timeoutSeconds") or 1) * 1e9))
        except Unsupported as error:
            if self.container.is_stand_in:
                return True, ""
            return False, f"emulated container: {error} is not emulated"
        except FileNotFoundError as error:
            return False, f"sh: can't open '{error}'"
        if machine.exit_code is None:
            return False, f"command timed out: {command!r} timed out after {self.spec.get('timeoutSeconds') or 1}s"
        if machine.exit_code and self.container.is_stand_in and self._prepared(command):
            return True, ""
        return machine.exit_code == 0, b"".join(output).decode(errors="replace")

    def _prepared(self, command: list[str]) -> bool:
        """Whether a stand-in's own script makes the file that the probe looks for."""
        script = " ".join(self.container.setup.argv)
        return any(f"touch {word}" in script or f"> {word}" in script for word in command if word.startswith("/"))

    def _http(self, get: Object) -> tuple[bool, str]:
        port, path = self._port(get.get("port")), get.get("path") or "/"
        headers = {"User-Agent": "kube-probe/1.33", "Host": f"{self.address}:{port}"}
        headers |= {h["name"]: h["value"] for h in get.get("httpHeaders") or []}
        try:
            response = self.runtime.http(self.pod_uid, port, Request("GET", path, headers))
        except NotHttp:
            return False, f'Get "http://{self.address}:{port}{path}": malformed HTTP response'
        except Refused:
            url = f"http://{self.address}:{port}{path}"
            return False, f'Get "{url}": dial tcp {self.address}:{port}: connect: connection refused'
        if 200 <= response.status < 400:
            return True, ""
        return False, f"HTTP probe failed with statuscode: {response.status}"

    def _port(self, port: Any) -> int:
        named = {p.get("name"): p["containerPort"] for p in self.container.setup.spec.get("ports") or []}
        return (
            int(named.get(port, port) if not isinstance(port, int) else port)
            if str(named.get(port, port)).isdigit()
            else 0
        )


class PodProbes:
    """The probes of a pod's containers, and what follows from their verdicts."""

    def __init__(self, containers: Containers) -> None:
        self.containers = containers
        self.worker = containers.worker

    def begin(self, known: Known) -> None:
        """Probes a container that has started: first its startup, then the rest."""
        self._probe(known, ["startup"] if known.spec.get("startupProbe") else ["readiness", "liveness"])

    @staticmethod
    def stop(known: Known) -> None:
        """No more probes of a container."""
        for prober in known.probes:
            prober.stop()
        known.probes.clear()

    def _probe(self, known: Known, wanted: list[str]) -> None:
        for kind in wanted:
            if known.container and known.spec.get(f"{kind}Probe"):
                target = Target(self.worker.uid, self.worker.pod_ip, known.container)
                known.probes.append(Prober(self.worker.runtime, target, kind, partial(self._probed, known)))

    def _probed(self, known: Known, prober: Prober, verdict: bool | None, output: str) -> None:
        worker = self.worker
        if known.container is not prober.container or worker.stopping or worker.trouble.down:
            return
        if output:
            worker.event(known, "Unhealthy", f"{prober.kind.capitalize()} probe failed: {output}", warning=True)
        if verdict is None:
            return
        if prober.kind == "readiness":
            known.ready = verdict
            worker.publish()
        elif not verdict:
            worker.event(known, "Killing", f"Container {known.name} failed {prober.kind} probe, will be restarted")
            self.containers.kill(known)
        elif prober.kind == "startup":
            self._started(known, prober)

    def _started(self, known: Known, prober: Prober) -> None:
        prober.stop()
        known.started = True
        known.ready = not known.spec.get("readinessProbe")
        self._probe(known, ["readiness", "liveness"])
        self.worker.publish()
        if known.sidecar:
            self.containers.next()
