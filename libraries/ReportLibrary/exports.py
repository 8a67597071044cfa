"""Where the results of a run go besides its output directory: each place is told apart, and none can fail the run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.secrets import SECRETS

from . import github, history, metrics
from .evidence import Evidence, without_credentials
from .metrics import credentials
from .optional import need


@dataclass(frozen=True)
class Places:
    """The places that were asked for."""

    history: Path | None = None
    metrics: Path | None = None
    pushgateway: str | None = None

    def check(self) -> None:
        """Makes sure that what they need is there, and that no password of theirs is shown.

        Raises:
            BadInput: a package is missing.
        """
        if password := credentials(self.pushgateway or "")[1]:
            SECRETS.add(password)
        for name in ("metrics", "pushgateway"):
            if value := getattr(self, name):
                need("prometheus_client", name, without_credentials(str(value)))


class Exports:
    """Takes the results to the places that were asked for, when the run is over."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self.places = Places()

    def publish(self, run: Evidence) -> Iterator[str]:
        """Lines for the console: what could not be written, and commands for GitHub Actions."""
        places, self.places = self.places, Places()
        whole = run.to_dict()
        for title, export in self._exports(places):
            try:
                export(whole)
            except Exception as problem:  # whatever it is, the verdict of the run stands
                yield SECRETS.redact(f"{title} could not be written: {type(problem).__name__}: {problem}")
        if self._environment.get(github.INSIDE) == "true":
            yield from github.annotated(run, self._environment)

    def _exports(self, places: Places) -> Iterator[tuple[str, Callable[[dict[str, Any]], None]]]:
        if file := self._environment.get(github.SUMMARY_FILE):
            yield f"The job summary {file}", lambda run: github.append(Path(file), run)
        if kept := places.history:
            yield f"The history {kept}", lambda run: history.append(kept, run)
        if textfile := places.metrics:
            yield f"The metrics {textfile}", lambda run: metrics.write(textfile, run)
        if url := places.pushgateway:
            yield f"The Pushgateway's metrics at {without_credentials(url)}", lambda run: metrics.push(url, run)
