"""The options of `python -m sandbox`."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from .cluster import Latencies
from .server import Options

ERAS = ("seed", "jan26", "next")
_GATES = ("WatchList",)


def parse(arguments: list[str]) -> Options:
    """The options of a command line; a bad one ends the process with a sentence that says what is allowed."""
    parser = argparse.ArgumentParser(prog="sandbox", description="An emulated Kubernetes cluster with a propagator.")
    parser.add_argument("--nodes", type=_count, default=2, metavar="N", help="emulated nodes (default 2)")
    parser.add_argument("--era", choices=ERAS, default="jan26", help="behaviour of the propagator (default jan26)")
    parser.add_argument(
        "--state-dir", type=Path, metavar="DIR", help="where the kubeconfig is written (default: temporary)"
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
    parser.add_argument("--outlive-parent", action="store_true", help="go on when the process that started it is gone")
    given = parser.parse_args(arguments)
    latencies = _latencies(parser, given.latency)
    return Options(
        given.nodes,
        given.era,
        given.state_dir,
        latencies,
        _watch_list(parser, given.feature_gates),
        given.name,
        given.outlive_parent,
    )


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of nodes; allowed are 1 to 1000")
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
