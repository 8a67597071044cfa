"""The engine that is a `helm` on PATH (3.8 or later, 4.x)."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from tempfile import mkstemp
from typing import Any

import yaml

from harness.durations import lasting
from harness.rundir import private_directory

from .command import run
from .homes import helm_environment
from .noting import noted
from .releases import Chart, Deployed, HelmError, Order, Release, Target, Values

OLDEST = (3, 8)
LOOK_TIMEOUT = 60.0
"""Seconds for operations that only look."""
PATIENCE = 15.0
"""Seconds that a process may take beyond the timeout that it was given itself."""
RESET = "--reset-values"


class CommandEngine:
    """Runs the `helm` executable at `path`."""

    def __init__(self, path: str, version: str) -> None:
        self._path, self._version = path, version

    @property
    def description(self) -> str:
        """Version and place."""
        return f"helm {self._version} at {self._path}"

    def chart_values(self, chart: Chart) -> str:
        """See `Engine`."""
        return self._call(["show", "values", chart.reference, *_source(chart)], LOOK_TIMEOUT)

    def install(self, target: Target, release: str, order: Order) -> Deployed:
        """See `Engine`."""
        return self._deploy(["install"], target, release, order)

    def upgrade(self, target: Target, release: str, order: Order) -> Deployed:
        """See `Engine`."""
        return self._deploy(["upgrade", RESET], target, release, order)

    def _deploy(self, verb: list[str], target: Target, release: str, order: Order) -> Deployed:
        options = _source(order.chart)
        with _values_files(order.values) as files:
            options += [word for file in files for word in ("--values", str(file))]
            words = [
                *verb,
                release,
                order.chart.reference,
                *options,
                "-o",
                "json",
                *_waiting(order.wait, order.timeout),
            ]
            self._run(target, words, order.timeout)
        return self._deployed(target, release)

    def rollback(self, target: Target, release: str, revision: int | None, *, wait: bool, timeout: float) -> Deployed:
        """See `Engine`."""
        which = [str(revision)] if revision is not None else []
        self._run(target, ["rollback", release, *which, *_waiting(wait, timeout)], timeout)
        return self._deployed(target, release)

    def _deployed(self, target: Target, release: str) -> Deployed:
        # What `install -o json` holds of the chart differs between versions; the history has the same in all.
        newest = self._json(target, ["history", release, "--max", "1"])[-1]
        manifest = self._run(target, ["get", "manifest", release], LOOK_TIMEOUT)
        return Deployed(_release(release, target.namespace, newest), manifest)

    def uninstall(self, target: Target, release: str, *, wait: bool, timeout: float) -> None:
        """See `Engine`."""
        self._run(target, ["uninstall", release, *_waiting(wait, timeout)], timeout)

    def status(self, target: Target, release: str) -> Release | None:
        """See `Engine`."""
        try:
            rows = self._json(target, ["history", release, "--max", "1"])
        except HelmError as problem:
            if problem.code == "not-found":
                return None
            raise
        return _release(release, target.namespace, rows[-1]) if rows else None

    def history(self, target: Target, release: str) -> list[Release]:
        """See `Engine`."""
        return [_release(release, target.namespace, row) for row in self._json(target, ["history", release])]

    def list(self, target: Target, namespaces: Sequence[str]) -> list[Release]:
        """See `Engine`."""
        # Some 4.x have no --all, and 3.x need the states named.
        states = ["--deployed", "--failed", "--pending", "--uninstalling", "--max", "0"]
        found: list[Release] = []
        for namespace in namespaces:
            place = Target(target.kubeconfig, target.context, namespace)
            found += [_release(row["name"], row["namespace"], row) for row in self._json(place, ["list", *states])]
        return found

    def get_values(self, target: Target, release: str, *, computed: bool) -> dict[str, Any]:
        """See `Engine`."""
        return self._json(target, ["get", "values", release, *(["--all"] if computed else [])]) or {}

    def manifest(self, target: Target, release: str) -> str:
        """See `Engine`."""
        parts = [self._run(target, ["get", what, release], LOOK_TIMEOUT) for what in ("manifest", "hooks")]
        return "\n---\n".join(parts)

    def _json(self, target: Target, words: Sequence[str]) -> Any:
        return json.loads(self._run(target, [*words, "-o", "json"], LOOK_TIMEOUT) or "null")

    def _run(self, target: Target, words: Sequence[str], timeout: float) -> str:
        where = ["--kubeconfig", str(target.kubeconfig), "--namespace", target.namespace]
        where += ["--kube-context", target.context] if target.context else []
        return self._call([*words, *where], timeout)

    def _call(self, words: Sequence[str], timeout: float) -> str:
        asked = (word for word in words[1:] if word != RESET)
        with noted(words[0], *takewhile(lambda word: not word.startswith("-"), asked)):
            return self._carried_out(words, timeout)

    def _carried_out(self, words: Sequence[str], timeout: float) -> str:
        done = run([self._path, *words], environment=helm_environment(), timeout=timeout + PATIENCE)
        if done.stopped:
            raise HelmError(f"helm was stopped after {lasting(timeout + PATIENCE)}. {done.errors.strip()}", "timeout")
        if done.status:
            words_of_helm = done.errors.strip() or done.output.strip() or f"exit status {done.status}, no output"
            raise HelmError(words_of_helm, "not-found" if re.search(r"release: not found", words_of_helm) else "")
        return done.output


def find_command() -> CommandEngine | None:
    """The `helm` on PATH, if there is one that can be used."""
    path = shutil.which("helm")
    if not path:
        return None
    answer = run([path, "version", "--template", "{{.Version}}"], environment=helm_environment(), timeout=LOOK_TIMEOUT)
    found = re.match(r"v?(\d+)\.(\d+)\S*", answer.output.strip())
    if answer.status or not found or (int(found[1]), int(found[2])) < OLDEST:
        return None
    return CommandEngine(path, found[0].lstrip("v"))


def _source(chart: Chart) -> list[str]:
    version = ["--version", chart.version] if chart.version else []
    return [*version, *(["--repo", chart.repository] if chart.repository else [])]


def _waiting(wait: bool, timeout: float) -> list[str]:
    return [*(["--wait"] if wait else []), "--timeout", f"{max(1, round(timeout))}s"]


def _release(name: str, namespace: str, row: dict[str, Any]) -> Release:
    return Release(
        name=name,
        namespace=namespace,
        revision=int(row["revision"]),
        status=row["status"],
        chart=row.get("chart", ""),
        app_version=row.get("app_version", ""),
        updated=row.get("updated", ""),
        description=row.get("description", ""),
    )


@contextmanager
def _values_files(values: Values) -> Iterator[list[Path]]:
    """The values as files for the command line; our own, which may hold the token, 0600 and gone afterwards."""
    handle, name = mkstemp(prefix="values-", suffix=".yaml", dir=private_directory())
    own = Path(name)
    try:
        with os.fdopen(handle, "w") as out:
            yaml.safe_dump(values.own, out)
        yield [*([values.file] if values.file else []), own]
    finally:
        own.unlink(missing_ok=True)
