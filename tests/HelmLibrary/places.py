"""Where the tests' Helm works: targets, orders, and a look at running processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from HelmLibrary.releases import Chart, Order, Target, Values

TOKEN = "very-secret-token-of-the-test"


def target(folder: Path, namespace: str = "cedana-system") -> Target:
    """A target whose cluster does not answer."""
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
    )
    return Target(kubeconfig, None, namespace)


def order(chart: str = "/some/chart", *, file: Path | None = None, timeout: float = 30, **own: Any) -> Order:
    """An order whose values hold the token."""
    return Order(Chart(chart), Values(file, {"config": {"authToken": TOKEN}} | own), wait=True, timeout=timeout)


def children_with(text: str, parent: int | None = None) -> Iterator[Path]:
    """/proc folders of the children of `parent` (this process when None) whose command line has `text`."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            facts = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(facts[1]) == (parent or os.getpid()) and text in (folder / "cmdline").read_bytes().decode():
                yield folder
        except OSError:
            continue


def stand_in_helm(folder: Path) -> Path:
    """A `helm` command for PATH, in a folder of its own."""
    path = folder / "bin" / "helm"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("stand_in_helm.py")}" "$@"\n')
    path.chmod(0o755)
    return path
