"""Lifecycle hooks: what is done in the container after its start and before its end."""

from __future__ import annotations

from typing import Any

from ...runtime import SECOND, NotHttp, Refused, Request, Runtime
from ...runtime.shell.tokens import Unsupported
from .status import Known

Object = dict[str, Any]
_TIME = 30 * SECOND


def run_hook(runtime: Runtime, pod_uid: str, known: Known, name: str) -> str:
    """Runs a hook, if there is one: a command as far as it comes in 30 s, or a request. Says what went wrong.

    A hook that sleeps is not waited for: a pod's end takes no longer than the cluster's latency for it.
    """
    hook = (known.spec.get("lifecycle") or {}).get(name) or {}
    if not known.container:
        return ""
    if "httpGet" in hook:
        return _get(runtime, pod_uid, known.spec, hook["httpGet"])
    return _run(runtime, known, hook["exec"]["command"]) if "exec" in hook else ""


def _run(runtime: Runtime, known: Known, command: list[str]) -> str:
    assert known.container is not None
    try:
        machine = runtime.run(known.container, command, lambda _at, _stream, _data: None)
        machine.advance(runtime.now() + _TIME)
    except (Unsupported, OSError) as error:
        return f"emulated container: {error} is not emulated"
    return f"command '{' '.join(command)}' exited with {machine.exit_code}: " if machine.exit_code else ""


def _get(runtime: Runtime, pod_uid: str, spec: Object, get: Object) -> str:
    named = {port.get("name"): port["containerPort"] for port in spec.get("ports") or []}
    port, path = int(str(named.get(get["port"], get["port"]))), get.get("path") or "/"
    try:
        answer = runtime.http(pod_uid, port, Request("GET", path, {"User-Agent": "kube-lifecycle/1.33"}))
    except (Refused, NotHttp) as error:
        return f'Get "http://:{port}{path}": {error}'
    return f"HTTP status {answer.status}" if answer.status >= 400 else ""
