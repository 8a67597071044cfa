"""The process that holds Helm's Go runtime (the wheel helm-python-sdk), so that a crash or a timeout ends it alone.

It imports nothing of ours. One JSON object on stdin says what to do, one on stdout what came of it:

    {"action": "status", "parent": 4711, "release": "cedana", "config": {"kubeconfig_path": ...}, ...}
    {"result": ...}  or  {"error": {"code": "NOT_FOUND", "words": "..."}}

Values, which may hold the token, come in on stdin only. SIGTERM and the parent's end cancel what is going on, so that
Helm marks the release as failed instead of leaving it pending. The parent is told by its pid, for it may be gone before
this process begins.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

CANCEL_SECONDS = 5.0
LOOK_SECONDS = 0.25


class Session:
    """One request on its way: the library, its configuration and a way to cancel."""

    def __init__(self, request: dict[str, Any]) -> None:
        import helm_python

        self.helm: Any = helm_python
        self.request = request
        self.context = helm_python.HelmContext()

    def config(self, **other: str) -> Any:
        """A configuration for the request's cluster and namespace."""
        return self.helm.Config(**(self.request["config"] | other))

    def release(self) -> str:
        """The release that the request is about."""
        return str(self.request["release"])

    def timing(self) -> dict[str, Any]:
        """Timeout in whole seconds and the wait strategy, which Helm wants to be named."""
        return {
            "timeout": max(1, round(self.request["timeout"])),
            "wait": "watcher" if self.request["wait"] else "hookOnly",
        }

    def deployment(self) -> dict[str, Any]:
        """What install and upgrade have in common."""
        chart = self.request["chart"]
        return {
            "chart": chart["reference"],
            "name": self.release(),
            "values": self.values(),
            "context": self.context,
            "chart_version": chart["version"],
            "chart_repo_url": chart["repository"],
        } | self.timing()

    def values(self) -> dict[str, Any]:
        """The values file, as Helm reads it, with the request's own values over it."""
        text = self.request["values_file"]
        below = self.helm.values_from_yaml(text) if text else {}
        return merged(below, self.request["values"])


def merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` over `below`, maps merged key by key as Helm merges several values files."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        result[key] = merged(under, value) if isinstance(value, dict) and isinstance(under, dict) else value
    return result


def install(session: Session) -> dict[str, Any]:
    with session.config() as config:
        config.install(**session.deployment())
        return summary(config, session.release())


def upgrade(session: Session) -> dict[str, Any]:
    with session.config() as config:
        config.upgrade(**session.deployment(), reset_values=True)
        return summary(config, session.release())


def rollback(session: Session) -> dict[str, Any]:
    with session.config() as config:
        config.rollback(session.release(), version=session.request["revision"], **session.timing())
        return summary(config, session.release())


def uninstall(session: Session) -> None:
    with session.config() as config:
        config.uninstall(session.release(), **session.timing())


def summary(config: Any, release: str) -> dict[str, Any]:
    """The newest revision with its objects (without hooks) and how it ended in Helm's words."""
    whole = config.get_all(release)
    return dict(whole["summary"], description=(whole.get("info") or {}).get("description", ""))


def status(session: Session) -> dict[str, Any]:
    with session.config() as config:
        return summary(config, session.release())


def history(session: Session) -> list[dict[str, Any]]:
    with session.config() as config:
        rows: list[dict[str, Any]] = config.history(session.release())
    return rows


def list_releases(session: Session) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for namespace in session.request["namespaces"]:
        with session.config(namespace=namespace) as config:
            rows += [row for row in config.list(all_states=True) if row["status"] not in ("superseded", "uninstalled")]
    return rows


def get_values(session: Session) -> dict[str, Any]:
    with session.config() as config:
        found: dict[str, Any] = config.get_values(session.release(), all_values=session.request["computed"])
    return found


def manifest(session: Session) -> str:
    with session.config() as config:
        whole = config.get_all(session.release())
    hooks = [hook["manifest"] for hook in whole.get("hooks") or []]
    return "\n---\n".join([whole["summary"].get("manifest", ""), *hooks])


def chart_values(session: Session) -> str:
    chart = session.request["chart"]
    if Path(chart["reference"]).exists():
        return str(session.helm.show(chart["reference"], output_format="values"))
    # The wheel's `show` refuses the option `version` that it has; its `pull` does not.
    with TemporaryDirectory() as folder:
        where = {"version": chart["version"], "repo_url": chart["repository"]}
        session.helm.pull(chart["reference"], destination=folder, **where)
        (archive,) = Path(folder).glob("*.tgz")
        return str(session.helm.show(str(archive), output_format="values"))


def version(session: Session) -> str:
    return str(session.helm.helm_sdk_version())


ACTIONS: dict[str, Callable[[Session], Any]] = {
    "install": install,
    "upgrade": upgrade,
    "rollback": rollback,
    "uninstall": uninstall,
    "status": status,
    "history": history,
    "list": list_releases,
    "get_values": get_values,
    "manifest": manifest,
    "chart_values": chart_values,
    "version": version,
}


def answer(session: Session) -> dict[str, Any]:
    """Carries the request out."""
    try:
        return {"result": ACTIONS[session.request["action"]](session)}
    except session.helm.HelmError as problem:
        code = session.helm.ErrorCode(problem.code).name if problem.code is not None else "LIBRARY"
        return {"error": {"code": code, "words": str(problem)}}


def main() -> None:
    """Reads the request, works in a second thread, and watches over it in the first."""
    # The Go side may print; only the answer may reach the parent's pipe.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    cancelled = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: cancelled.set())
    session = Session(json.load(sys.stdin))
    parent = session.request["parent"]
    answers: list[dict[str, Any]] = []
    worker = threading.Thread(target=lambda: answers.append(answer(session)), daemon=True)
    worker.start()
    while worker.is_alive() and not cancelled.is_set() and os.getppid() == parent:
        worker.join(LOOK_SECONDS)
    if worker.is_alive():
        with contextlib.suppress(session.helm.HelmError):
            session.context.cancel()
        worker.join(CANCEL_SECONDS)
    if answers:
        json.dump(answers[0], out)
        out.flush()
    # The Go runtime has threads of its own that an ordinary exit would wait for or trip over.
    os._exit(0 if answers else 1)


if __name__ == "__main__":
    main()
