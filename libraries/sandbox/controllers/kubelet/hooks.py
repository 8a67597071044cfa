"""Lifecycle hooks: a command in the container after its start and before its end."""

from __future__ import annotations

from ...runtime import SECOND, Runtime
from ...runtime.shell.tokens import Unsupported
from .status import Known

_TIME = 30 * SECOND


def run_hook(runtime: Runtime, known: Known, name: str) -> str:
    """Runs the hook's command, if there is one, as far as it comes in 30 s; says what went wrong, or nothing."""
    command = ((known.spec.get("lifecycle") or {}).get(name, {}).get("exec") or {}).get("command")
    if not command or not known.container:
        return ""
    try:
        machine = runtime.run(known.container, command, lambda _at, _stream, _data: None)
        machine.advance(runtime.now() + _TIME)
    except (Unsupported, OSError) as error:
        return f"emulated container: {error} is not emulated"
    return f"exited with {machine.exit_code}" if machine.exit_code else ""
