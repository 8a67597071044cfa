"""A `helm` command over the wheel: the flags and answers of helm 3.8 to 4, as far as our engine uses them.

Strict like the real one: an unknown flag is an error. With HELM_RECORD set, each call is added to that file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import helm_python
import yaml

VERSION = os.environ.get("STAND_IN_VERSION", "v3.19.4")
FAILED = {"install": "INSTALLATION FAILED: ", "upgrade": "UPGRADE FAILED: "}


def parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    common.add_argument("--kubeconfig", required=True)
    common.add_argument("--kube-context")
    common.add_argument("--namespace", required=True)
    waiting = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    waiting.add_argument("--wait", action="store_true")
    waiting.add_argument("--timeout", default="5m0s")
    output = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    output.add_argument("-o", "--output", choices=["json"])
    deploy = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    deploy.add_argument("name")
    deploy.add_argument("chart")
    deploy.add_argument("--values", action="append", default=[])
    deploy.add_argument("--version")
    deploy.add_argument("--repo")

    top = argparse.ArgumentParser(prog="helm", allow_abbrev=False)
    verbs = top.add_subparsers(dest="verb", required=True)
    verbs.add_parser("version").add_argument("--template", required=True)
    shown = verbs.add_parser("show").add_subparsers(dest="what", required=True).add_parser("values")
    shown.add_argument("chart")
    shown.add_argument("--version")
    shown.add_argument("--repo")
    verbs.add_parser("install", parents=[common, waiting, output, deploy])
    verbs.add_parser("upgrade", parents=[common, waiting, output, deploy]).add_argument(
        "--reset-values", action="store_true"
    )
    rollback = verbs.add_parser("rollback", parents=[common, waiting])
    rollback.add_argument("name")
    rollback.add_argument("revision", nargs="?", type=int)
    verbs.add_parser("uninstall", parents=[common, waiting]).add_argument("name")
    history = verbs.add_parser("history", parents=[common, output])
    history.add_argument("name")
    history.add_argument("--max", type=int, default=256)
    listing = verbs.add_parser("list", parents=[common, output])
    for state in ("--deployed", "--failed", "--pending", "--uninstalling"):
        listing.add_argument(state, action="store_true")
    listing.add_argument("--max", type=int, default=256)
    getting = verbs.add_parser("get").add_subparsers(dest="what", required=True)
    for what in ("manifest", "hooks"):
        getting.add_parser(what, parents=[common]).add_argument("name")
    values = getting.add_parser("values", parents=[common, output])
    values.add_argument("name")
    values.add_argument("--all", action="store_true")
    return top


def timing(given: argparse.Namespace) -> dict[str, Any]:
    return {"timeout": int(given.timeout.rstrip("s")), "wait": "watcher" if given.wait else "hookOnly"}


def row(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "revision": found["revision"],
        "updated": found.get("deployed_at", ""),
        "status": found["status"],
        "chart": f"{found['chart_name']}-{found['chart_version']}",
        "app_version": found.get("app_version", ""),
    }


def deploy(config: Any, given: argparse.Namespace) -> None:
    values: dict[str, Any] = {}
    for file in given.values:
        values |= yaml.safe_load(Path(file).read_text())
    install_or_upgrade = config.install if given.verb == "install" else config.upgrade
    extra = {"reset_values": True} if given.verb == "upgrade" else {}
    made = install_or_upgrade(
        given.chart,
        given.name,
        values,
        chart_version=given.version,
        chart_repo_url=given.repo,
        **timing(given),
        **extra,
    )
    info = {"status": made["status"], "description": "Install complete"}
    whole = {
        "name": given.name,
        "info": info,
        "config": values,
        "manifest": made["manifest"],
        "version": made["revision"],
    }
    print(json.dumps(whole))


def rollback(config: Any, given: argparse.Namespace) -> None:
    config.rollback(given.name, version=given.revision, **timing(given))
    print("Rollback was a success! Happy Helming!")


def uninstall(config: Any, given: argparse.Namespace) -> None:
    config.uninstall(given.name, **timing(given))
    print(f'release "{given.name}" uninstalled')


def history(config: Any, given: argparse.Namespace) -> None:
    newest = config.get_all(given.name)["info"].get("description", "")
    rows = [row(one) | {"description": newest} for one in config.history(given.name)]
    print(json.dumps(rows[-given.max :]))


def listing(config: Any, given: argparse.Namespace) -> None:
    wanted = {state for state in ("deployed", "failed", "uninstalling") if getattr(given, state)}
    found = [
        one for one in config.list(all_states=True) if one["status"] in wanted or one["status"].startswith("pending")
    ]
    names = [{"name": one["name"], "namespace": one["namespace"]} for one in found]
    print(
        json.dumps(
            [name | row(one) | {"revision": str(one["revision"])} for name, one in zip(names, found, strict=True)]
        )
    )


def get(config: Any, given: argparse.Namespace) -> None:
    if given.what == "values":
        print(json.dumps(config.get_values(given.name, all_values=given.all)))
    elif given.what == "manifest":
        print(config.status(given.name)["manifest"])
    else:
        hooks = config.get_all(given.name).get("hooks") or []
        print("\n".join(f"---\n# Source: {hook.get('path', '')}\n{hook['manifest']}" for hook in hooks))


VERBS = {
    "install": deploy,
    "upgrade": deploy,
    "rollback": rollback,
    "uninstall": uninstall,
    "history": history,
    "list": listing,
    "get": get,
}


def record() -> None:
    if file := os.environ.get("HELM_RECORD"):
        values = [sys.argv[at + 1] for at, word in enumerate(sys.argv) if word == "--values"]
        modes = [oct(Path(name).stat().st_mode & 0o777) for name in values]
        call = {"argv": sys.argv[1:], "environment": dict(os.environ), "values": values, "modes": modes}
        with Path(file).open("a") as out:
            out.write(json.dumps(call) + "\n")


def main() -> int:
    record()
    given = parser().parse_args()
    if given.verb == "version":
        print(given.template.replace("{{.Version}}", VERSION), end="")
        return 0
    try:
        act(given)
    except helm_python.HelmNotFoundError:
        print("Error: release: not found", file=sys.stderr)
        return 1
    except helm_python.HelmError as problem:
        print(f"Error: {FAILED.get(given.verb, '')}{problem}", file=sys.stderr)
        return 1
    return 0


def act(given: argparse.Namespace) -> None:
    if given.verb == "show":
        with tempfile.TemporaryDirectory() as folder:
            chart = given.chart
            if given.repo:
                helm_python.pull(chart, destination=folder, version=given.version, repo_url=given.repo)
                (chart,) = map(str, Path(folder).iterdir())
            print(helm_python.show(chart, output_format="values"))
        return
    context = {"kube_context": given.kube_context} if given.kube_context else {}
    with helm_python.Config(kubeconfig_path=given.kubeconfig, namespace=given.namespace, **context) as config:
        VERBS[given.verb](config, given)


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    # The Go runtime's threads would keep an ordinary exit waiting.
    os._exit(status)
