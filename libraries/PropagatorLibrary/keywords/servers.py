"""A propagator of our own, started for a run."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path

from robot.api import logger
from robot.api.deco import keyword
from robot.api.types import Secret
from robot.utils import DotDict

from harness.children import new_mark
from harness.kube import CLUSTERS
from harness.ledger import LEDGER
from harness.rundir import private_directory
from harness.secrets import SECRETS
from harness.serving import first_line, launch

TOKEN_FILE = "propagator-token"  # noqa: S105 - the name of the file


class ServerKeywords:
    """The propagator server of this repository, which takes checkpoints of stock clusters."""

    @keyword
    def start_propagator_server(
        self,
        *,
        namespace: str = "cedana-system",
        keep: bool = False,
        also_kubeconfig: Path | None = None,
        also_context: str | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> DotDict:
        """Starts this repository's own propagator for a cluster, on loopback, with a token of its own.

        It takes checkpoints through node agents, whose chart is `libraries/propagator_server/stock/chart`. The run's
        end takes it down; what it has saved goes with it.

        Args:
            namespace: of the node agents in the cluster.
            keep: it may have to outlive this run.
            also_kubeconfig: of a second cluster, in which checkpoints of the first can be restored and the other way
                round.
            also_context: a context there; its current one by default.
            timeout: until it serves.
            cluster: alias; the first started cluster by default.

        Returns:
            A dictionary with dotted access: `url`, `token` (a Secret), and `token_file` (mode 0600).

        Raises:
            OperationFailed: it does not serve, with what it said; cause `propagator-start`.

        Example:

            ${server}=    Start Propagator Server
            Connect To Propagator    ${server.url}    ${server.token}
        """
        place = CLUSTERS.get(cluster)
        token, file = secrets.token_urlsafe(24), private_directory() / TOKEN_FILE
        SECRETS.add(token)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(token)
        mark, errors = new_mark(), private_directory() / "propagator-server-errors.txt"
        entry = LEDGER.intend("process", "the propagator server", mark=mark)
        options = ["--kubeconfig", str(place.kubeconfig), "--namespace", namespace, "--token-file", str(file)]
        options += ["--context", place.context] if place.context else []
        if also_kubeconfig:
            options += ["--also", f"{also_kubeconfig}={also_context}" if also_context else str(also_kubeconfig)]
        options += [] if keep else ["--parent", str(os.getpid())]
        process = launch("propagator_server", *options, errors=errors, mark=mark)
        told = first_line(process, timeout.total_seconds(), errors, "the propagator server", "propagator-start")
        url = str(told["propagator_url"])
        LEDGER.made(entry, places=[url])
        logger.info(f"The propagator server of the cluster {place.alias} is at {url}.")
        return DotDict(url=url, token=Secret(token), token_file=file)
