"""What Helm is asked and what it answers, the same whichever engine carries it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Target:
    """Where a release lives: a cluster by its kubeconfig, and a namespace."""

    kubeconfig: Path
    context: str | None
    namespace: str


@dataclass(frozen=True)
class Chart:
    """Which chart: `reference` is a directory, an archive, an `oci://` reference, or a name in the repository at
    `repository`."""

    reference: str
    version: str | None = None
    repository: str | None = None


@dataclass(frozen=True)
class Values:
    """Values of a chart; `own` wins over `file`, and both over the chart's defaults. They may hold secrets."""

    file: Path | None = None
    own: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Order:
    """What to deploy. With `wait`, until Helm believes that its objects are ready; `timeout` in seconds."""

    chart: Chart
    values: Values
    wait: bool
    timeout: float


@dataclass(frozen=True)
class Release:
    """One revision of a release.

    Attributes:
        revision: counted from 1 by Helm.
        status: `deployed`, `failed`, `superseded`, `pending-install`, `pending-upgrade`, `pending-rollback`,
            `uninstalling` or `uninstalled`.
        chart: name and version of the chart, as `helm list` writes it.
        app_version: of what the chart installs; may be empty.
        updated: when, as the engine writes it.
        description: how it ended, in Helm's words; empty where the engine does not tell.
    """

    name: str
    namespace: str
    revision: int
    status: str
    chart: str
    app_version: str = ""
    updated: str = ""
    description: str = ""

    @property
    def pending(self) -> bool:
        """Whether Helm was stopped in the midst of an operation; it refuses to go on from there."""
        return self.status.startswith("pending-")

    def __str__(self) -> str:
        return f"{self.name} in namespace {self.namespace}: {self.status}, revision {self.revision}, chart {self.chart}"


@dataclass(frozen=True)
class Deployed:
    """What an install, upgrade or rollback made: the revision, and its objects as one YAML stream, without hooks."""

    release: Release
    manifest: str = field(repr=False)


class HelmError(Exception):
    """An engine's refusal or failure.

    Args:
        words: Helm's own text.
        code: what the engine knows of the kind beyond the text: `not-found`, `chart`, `kube`, `timeout` or nothing.
    """

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(words)
        self.words, self.code = words, code


class Engine(Protocol):
    """Carries Helm's operations out. Times are in seconds; every call raises `HelmError`."""

    @property
    def description(self) -> str:
        """Version and place, for logs and reports."""

    def chart_values(self, chart: Chart) -> str:
        """The chart's values file, as it is."""

    def install(self, target: Target, release: str, order: Order) -> Deployed:
        """Installs as `release`, which must be a new one."""

    def upgrade(self, target: Target, release: str, order: Order) -> Deployed:
        """Upgrades `release` with exactly the order's values; earlier ones are not reused."""

    def rollback(self, target: Target, release: str, revision: int | None, *, wait: bool, timeout: float) -> Deployed:
        """Rolls back to `revision`, or to the one before when None."""

    def uninstall(self, target: Target, release: str, *, wait: bool, timeout: float) -> None:
        """Removes `release`; with `wait`, until its objects are gone."""

    def status(self, target: Target, release: str) -> Release | None:
        """The newest revision; None where there is no such release."""

    def history(self, target: Target, release: str) -> list[Release]:
        """The revisions that Helm kept, oldest first."""

    def list(self, target: Target, namespaces: Sequence[str]) -> list[Release]:
        """The newest revision of every release in these namespaces, whatever its status."""

    def get_values(self, target: Target, release: str, *, computed: bool) -> dict[str, Any]:
        """The values that were given; with `computed`, together with the chart's defaults."""

    def manifest(self, target: Target, release: str) -> str:
        """All objects of the newest revision, hooks included, as one YAML stream."""
