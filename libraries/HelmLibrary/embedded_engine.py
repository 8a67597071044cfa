"""The engine that comes as a wheel (helm-python-sdk): Helm 4 as a shared library, each call in a child process."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.durations import lasting

from .command import run
from .homes import helm_environment
from .noting import noted
from .releases import Chart, Deployed, HelmError, Order, Release, Target

CHILD = Path(__file__).with_name("embedded_child.py")
LOOK_TIMEOUT = 60.0
"""Seconds for operations that only look."""
PATIENCE = 15.0
"""Seconds that the process may take beyond the timeout that Helm was given itself."""

_CODES = {
    "NOT_FOUND": "not-found",
    "CANCELLED": "timeout",
    "CHART_LOAD": "chart",
    "CHART_INVALID": "chart",
    "VALUES": "chart",
    "RENDER": "chart",
    "REGISTRY": "chart",
    "REPO": "chart",
    "KUBE": "kube",
}


class EmbeddedEngine:
    """Runs `embedded_child.py` once for each operation."""

    def __init__(self) -> None:
        self._version = ""

    @property
    def description(self) -> str:
        """Version and place."""
        if not self._version:
            self._version = str(self._call("version", None, LOOK_TIMEOUT)).lstrip("v")
        return f"helm {self._version} of the wheel helm-python-sdk"

    def chart_values(self, chart: Chart) -> str:
        """See `Engine`."""
        return str(self._call("chart_values", None, LOOK_TIMEOUT, chart=asdict(chart)))

    def install(self, target: Target, release: str, order: Order) -> Deployed:
        """See `Engine`."""
        return _deployed(self._call("install", target, order.timeout, **_deployment(release, order)))

    def upgrade(self, target: Target, release: str, order: Order) -> Deployed:
        """See `Engine`."""
        return _deployed(self._call("upgrade", target, order.timeout, **_deployment(release, order)))

    def rollback(self, target: Target, release: str, revision: int | None, *, wait: bool, timeout: float) -> Deployed:
        """See `Engine`."""
        return _deployed(self._call("rollback", target, timeout, release=release, revision=revision, wait=wait))

    def uninstall(self, target: Target, release: str, *, wait: bool, timeout: float) -> None:
        """See `Engine`."""
        self._call("uninstall", target, timeout, release=release, wait=wait)

    def status(self, target: Target, release: str) -> Release | None:
        """See `Engine`."""
        try:
            return _release(self._call("status", target, LOOK_TIMEOUT, release=release))
        except HelmError as problem:
            if problem.code == "not-found":
                return None
            raise

    def history(self, target: Target, release: str) -> list[Release]:
        """See `Engine`."""
        return [_release(row) for row in self._call("history", target, LOOK_TIMEOUT, release=release)]

    def list(self, target: Target, namespaces: Sequence[str]) -> list[Release]:
        """See `Engine`."""
        return [_release(row) for row in self._call("list", target, LOOK_TIMEOUT, namespaces=list(namespaces))]

    def get_values(self, target: Target, release: str, *, computed: bool) -> dict[str, Any]:
        """See `Engine`."""
        found = self._call("get_values", target, LOOK_TIMEOUT, release=release, computed=computed)
        return found or {}

    def manifest(self, target: Target, release: str) -> str:
        """See `Engine`."""
        return str(self._call("manifest", target, LOOK_TIMEOUT, release=release))

    def _call(self, action: str, target: Target | None, timeout: float, **arguments: Any) -> Any:
        chart = arguments.get("chart") or {}
        with noted(action, str(arguments.get("release", "")), str(chart.get("reference", ""))):
            return self._carried_out(action, target, timeout, **arguments)

    def _carried_out(self, action: str, target: Target | None, timeout: float, **arguments: Any) -> Any:
        config = _config(target) if target else {}
        request = arguments | {"action": action, "timeout": timeout, "config": config, "parent": os.getpid()}
        # -P keeps this folder off the child's path: it needs none of our modules.
        command = [sys.executable, "-P", str(CHILD)]
        done = run(command, environment=helm_environment(), timeout=timeout + PATIENCE, text=json.dumps(request))
        if not done.output:
            why = (
                f"was stopped after {lasting(timeout + PATIENCE)}"
                if done.stopped
                else f"ended with status {done.status}"
            )
            raise HelmError(f"Helm's process {why}. {done.errors[-2000:]}".strip(), "timeout" if done.stopped else "")
        answer = json.loads(done.output)
        if "error" in answer:
            error = answer["error"]
            raise HelmError(error["words"], _CODES.get(error["code"], ""))
        return answer["result"]


def find_embedded() -> EmbeddedEngine | None:
    """The engine of the wheel, if it is installed."""
    return EmbeddedEngine() if importlib.util.find_spec("helm_python") else None


def _config(target: Target) -> dict[str, Any]:
    context = {"kube_context": target.context} if target.context else {}
    return {"kubeconfig_path": str(target.kubeconfig), "namespace": target.namespace} | context


def _deployment(release: str, order: Order) -> dict[str, Any]:
    return {
        "release": release,
        "chart": asdict(order.chart),
        "values": order.values.own,
        "values_file": order.values.file.read_text() if order.values.file else "",
        "wait": order.wait,
    }


def _deployed(summary: dict[str, Any]) -> Deployed:
    return Deployed(_release(summary), summary.get("manifest", ""))


def _release(row: dict[str, Any]) -> Release:
    return Release(
        name=row["name"],
        namespace=row["namespace"],
        revision=int(row["revision"]),
        status=row["status"],
        chart=f"{row.get('chart_name', '')}-{row.get('chart_version', '')}",
        app_version=row.get("app_version", ""),
        updated=row.get("deployed_at", ""),
        description=row.get("description", ""),
    )
