"""The options of `python -m sandbox`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from propagator_server.eras import ERAS
from propagator_server.quirks import described, parsed

from .cedana.helper import Helper
from .cluster import Latencies
from .faults.listing import ListFaults, fault_of
from .server import Options

_GATES = ("WatchList",)


def parse(arguments: list[str]) -> Options:
    """The options of a command line; a bad one ends the process with a sentence that says what is allowed."""
    parser = argparse.ArgumentParser(prog="sandbox", description="An emulated Kubernetes cluster with a propagator.")
    _cluster_arguments(parser)
    _cedana_arguments(parser)
    _fault_arguments(parser)
    _process_arguments(parser)
    given = parser.parse_args(arguments)
    latencies = _latencies(parser, given.latency)
    try:
        faults = tuple(fault_of(text) for text in given.fault)
        quirks = parsed(given.quirk)
        helper = Helper().changed(dict(text.partition("=")[::2] for text in given.helper))
    except ValueError as wrong:
        parser.error(str(wrong))
    return Options(
        given.nodes,
        given.era,
        given.state_dir,
        latencies,
        _watch_list(parser, given.feature_gates),
        given.name,
        given.outlive_parent,
        given.clusters,
        quirks,
        helper,
        faults,
        given.parent,
        given.default_storage,
    )


def _cluster_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nodes", type=_count, default=2, metavar="N", help="emulated nodes (default 2)")
    parser.add_argument("--clusters", type=_few, default=1, metavar="N", help="clusters that share the propagator")
    parser.add_argument(
        "--default-storage", action="store_true", help="make local-path the class of claims that name none, as k3s does"
    )
    parser.add_argument("--name", default="sandbox", help="name of the cluster in the kubeconfig")
    parser.add_argument("--latency", action="append", default=[], metavar="NAME=SECONDS", help=_latency_help())
    parser.add_argument(
        "--feature-gates",
        action="append",
        default=[],
        metavar="NAME=true|false",
        help="WatchList: initial events of watches",
    )


def _process_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state-dir", type=Path, metavar="DIR", help="where the kubeconfig is written (default: temporary)"
    )
    parser.add_argument(
        "--parent",
        type=int,
        metavar="PID",
        help="the process that starts it and whose end is its end, for one that may be gone before the sandbox can ask",
    )
    parser.add_argument("--outlive-parent", action="store_true", help="go on when the process that started it is gone")


def _fault_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--list-faults", action=ListFaults, help="print the faults that there are, as JSON lines")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME[:KEY=VALUE...]", help="a fault that is on from the start"
    )


def _cedana_arguments(parser: argparse.ArgumentParser) -> None:
    quirks = "; ".join(f"{name}: {what}" for name, what in described().items())
    options = ", ".join(Helper().shown())
    parser.add_argument("--era", choices=ERAS, default="jan26", help="behaviour of the propagator (default jan26)")
    parser.add_argument("--quirk", action="append", default=[], metavar="NAME[=VALUE]", help=quirks)
    parser.add_argument(
        "--helper", action="append", default=[], metavar="NAME=on|off", help=f"CRIU options of Cedana's: {options}"
    )


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of nodes; allowed are 1 to 1000")
    return int(text)


def _few(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of clusters; allowed are 1 to 9")
    return int(text)


def _latency_help() -> str:
    return "how long an emulated step takes: " + ", ".join(field.name for field in fields(Latencies))


def _latencies(parser: argparse.ArgumentParser, given: list[str]) -> Latencies:
    allowed = [field.name for field in fields(Latencies)]
    values: dict[str, float] = {}
    for text in given:
        name, _, seconds = text.partition("=")
        try:
            values[name] = float(seconds)
        except ValueError:
            parser.error(f"--latency {text!r}: {seconds!r} is no number of seconds")
        if name not in allowed or values[name] < 0:
            parser.error(f"--latency {text!r}: allowed are {', '.join(allowed)} with seconds of 0 or more")
    return Latencies(**values)


def _watch_list(parser: argparse.ArgumentParser, given: list[str]) -> bool:
    on = False
    for text in given:
        name, _, value = text.partition("=")
        if name not in _GATES or value not in ("true", "false"):
            parser.error(f"--feature-gates {text!r}: allowed are {', '.join(f'{gate}=true|false' for gate in _GATES)}")
        on = value == "true"
    return on
