"""What every provider of clusters offers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Started:
    """A cluster that is up, and what came with it.

    Attributes:
        kubeconfig, context: how to reach it.
        propagator_url, token, chart: of a propagator and chart that the provider brings along; None elsewhere.
        second_kubeconfig: of a second cluster that shares that propagator; None where none comes along.
        tools: versions on its nodes that the API does not tell, by name (`runc`, `criu`), where the provider knows.
    """

    kubeconfig: Path
    context: str | None = None
    propagator_url: str | None = None
    token: str | None = field(default=None, repr=False)
    chart: str | None = None
    second_kubeconfig: Path | None = None
    tools: dict[str, str] = field(default_factory=dict)


class Provider(Protocol):
    """Brings a cluster up and takes it down again."""

    def start(self, *, kubeconfig: Path | None, context: str | None, timeout: float, keep: bool) -> Started:
        """Returns when the cluster's API answers; what it makes is in the ledger before it is made.

        Args:
            kubeconfig, context: of a cluster that is there already; other providers make their own.
            timeout: seconds until the API answers.
            keep: whether the cluster may have to outlive this process.
        """

    def stop(self, timeout: float) -> None:
        """Takes down what `start` brought up; a cluster that was there before stays."""

    def traces(self) -> list[str]:
        """What a cluster that was stopped left on this host, by name; empty when nothing."""
