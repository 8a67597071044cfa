"""The options of `python -m propagator_server`."""

from __future__ import annotations

import argparse
import os
import re
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .eras import ERAS
from .quirks import Quirks, described, parsed

TOKEN = "PROPAGATOR_TOKEN"  # noqa: S105 - the name of the variable
_LEAST_TOKEN = 16


@dataclass(frozen=True)
class Options:
    """How a propagator is started.

    `contexts`: of the kubeconfig, one for each cluster; empty: its current one. `others`: kubeconfigs of more clusters,
    with a context. `given`: whether the token was given, rather than drawn. `parent`: the pid of the process that it
    ends with. `preflight`: `table` or `json` to look at the cluster only; else empty.
    """

    kubeconfig: Path | None
    contexts: tuple[str, ...]
    others: tuple[tuple[Path, str | None], ...]
    namespace: str
    port: int
    era: str
    token: str = field(repr=False)
    given: bool
    quirks: Quirks
    state: Path | None
    certificate: Path | None
    key: Path | None
    parent: int | None
    preflight: str

    @property
    def clusters(self) -> list[tuple[Path | None, str | None]]:
        """Kubeconfig and context of each cluster."""
        return [*((self.kubeconfig, context) for context in self.contexts or (None,)), *self.others]


def parse(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Options:
    """The options of a command line; a bad one ends the process with a sentence that says what is allowed."""
    parser = argparse.ArgumentParser(
        prog="propagator_server",
        description="Cedana's propagator API over a stock Kubernetes with node agents, served on loopback.",
        epilog=f"The token that clients need comes from {TOKEN} or --token-file; else one is drawn and printed.",
    )
    _cluster_arguments(parser)
    _service_arguments(parser)
    given = parser.parse_args(arguments)
    if bool(given.tls_cert) != bool(given.tls_key):
        parser.error("--tls-cert and --tls-key belong together")
    for name in ("kubeconfig", "tls_cert", "tls_key"):
        path = getattr(given, name)
        if path and not any(Path(part).is_file() for part in str(path).split(os.pathsep)):
            parser.error(f"--{name.replace('_', '-')} {str(path)!r} is no file")
    try:
        oddities = parsed(given.quirk)
        token = _token(given.token_file, environment)
    except (ValueError, OSError) as wrong:
        parser.error(str(wrong))
    return Options(
        kubeconfig=given.kubeconfig,
        contexts=tuple(given.context),
        others=tuple(given.also),
        namespace=given.namespace,
        port=given.port,
        era=given.era,
        token=token or secrets.token_urlsafe(24),
        given=bool(token),
        quirks=oddities,
        state=given.state,
        certificate=given.tls_cert,
        key=given.tls_key,
        parent=given.parent,
        preflight=given.preflight,
    )


def _cluster_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--kubeconfig", type=Path, metavar="FILE", help="of the cluster (default: KUBECONFIG, ~/.kube/config)"
    )
    parser.add_argument(
        "--context", action="append", default=[], metavar="NAME", help="context in it, once for each cluster"
    )
    parser.add_argument(
        "--also",
        action="append",
        default=[],
        type=_other,
        metavar="FILE[=CONTEXT]",
        help="kubeconfig of one more cluster, and a context in it: checkpoints of one are restored in any of them",
    )
    parser.add_argument(
        "--namespace", default="cedana-system", metavar="NAME", help="of the node agents (default cedana-system)"
    )
    parser.add_argument(
        "--preflight",
        nargs="?",
        const="table",
        default="",
        choices=("table", "json"),
        help="serve nothing: print what each node can do, and what is missing, and end; nothing is created",
    )


def _service_arguments(parser: argparse.ArgumentParser) -> None:
    quirks = "; ".join(f"{name}: {what}" for name, what in described().items())
    parser.add_argument("--era", choices=ERAS, default="jan26", help="behaviour of the API (default jan26)")
    parser.add_argument("--quirk", action="append", default=[], metavar="NAME[=VALUE]", help=quirks)
    parser.add_argument("--port", type=_port, default=0, help="TCP port on loopback (default: any that is free)")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="file with the token, mode 0600")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate chain (PEM), to serve over TLS")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="its key (PEM)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep all that it knows there, over its end")
    parser.add_argument("--parent", type=int, metavar="PID", help="the process whose end is its end")


def _token(file: Path | None, environment: Mapping[str, str]) -> str:
    """The token that is given. Raises ValueError for one that cannot be used, OSError for an unreadable file."""
    if file and stat.S_IMODE(file.stat().st_mode) & 0o077:
        raise ValueError(f"--token-file {str(file)!r} can be read by others; it must have mode 0600")
    token = file.read_text().strip() if file else environment.get(TOKEN, "")
    source = "the file's token" if file else TOKEN
    if token and (len(token) < _LEAST_TOKEN or re.search(r"[^\x21-\x7e]", token)):
        raise ValueError(f"{source} must be {_LEAST_TOKEN} or more characters that can stand in an HTTP header")
    return token


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; allowed are 0 to 65535")
    return int(text)


def _other(text: str) -> tuple[Path, str | None]:
    file, _, context = text.partition("=")
    if not any(Path(part).is_file() for part in file.split(os.pathsep)):
        raise argparse.ArgumentTypeError(f"{file!r} is no file")
    return Path(file), context or None
