"""Processes of ours that print one JSON line when they serve."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import time
from pathlib import Path
from typing import Any

from .children import MARK
from .durations import lasting
from .failures import OperationFailed
from .processes import LIBRARIES, clean_environment, python_command

END_GRACE = 5.0


def launch(module: str, *options: str, errors: Path, mark: str, **environment: str) -> subprocess.Popen[bytes]:
    """Starts one of our modules.

    Args:
        options: of its command line.
        errors: the file that its error stream goes to.
        mark: by which the ledger finds it.
        environment: variables beside those of this process.
    """
    with errors.open("wb") as error_stream:
        return subprocess.Popen(
            python_command(module, *options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=error_stream,
            env=clean_environment(PYTHONPATH=str(LIBRARIES), **{MARK: mark}, **environment),
            start_new_session=True,  # Ctrl-C is for the run, which takes it down in order
        )


def first_line(process: subprocess.Popen[bytes], timeout: float, errors: Path, what: str, cause: str) -> dict[str, Any]:
    """What the process tells when it serves.

    Args:
        process: with a pipe for its output.
        timeout: seconds.
        errors: the file with its error stream.
        what: its name in a failure.
        cause: of a failure.

    Raises:
        OperationFailed: it ended, or printed nothing in time; with what it wrote to its error stream.
    """
    assert process.stdout is not None
    deadline = time.monotonic() + timeout
    text = b""
    with process.stdout as pipe:
        while not text.endswith(b"\n"):
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(pipe.fileno(), 65536) if ready else b""
            if not chunk:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0 if not ready else END_GRACE)
                module = process.args[2] if isinstance(process.args, list) else ""
                raise OperationFailed(
                    f"{what} to serve within {lasting(timeout)}",
                    f"exit status {process.returncode}: {_tail(errors)}" if ready else f"no answer: {_tail(errors)}",
                    f"`PYTHONPATH=libraries python -m {module}` starts it by hand",
                    cause=cause,
                )
            text += chunk
    told: dict[str, Any] = json.loads(text)
    return told


def _tail(errors: Path) -> str:
    lines = errors.read_text(errors="replace").strip().splitlines()
    return " | ".join(lines[-5:]) or "nothing on its error stream"
