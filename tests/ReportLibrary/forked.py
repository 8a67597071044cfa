"""Robot Framework in a fork of a process that has imported it: most runs here take less time than such imports do."""

import multiprocessing
import os
import sys

IMPORTED = [
    "robot.run",
    "kubernetes.client",
    "kubernetes.config",
    "kubernetes.dynamic",
    "requests",
    "yaml",
    "jsonschema",
]
"""Nothing of the project's, so that each run has all of its own state."""


def run(arguments, environment, output, errors, timeout=300):
    """Runs `robot` with these arguments; the files get its streams. Gives its exit status, as `subprocess` does."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*IMPORTED, __name__])
    process = context.Process(target=_work, args=(arguments, environment, str(output), str(errors)))
    process.start()
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError(f"the run did not end within {timeout} s")
    return process.exitcode


def _work(arguments, environment, output, errors):
    sys.stdout = sys.__stdout__ = _redirected(1, output)
    sys.stderr = sys.__stderr__ = _redirected(2, errors)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
    from robot.run import run_cli

    run_cli(arguments)


def _redirected(number, file):
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(opened, number)
    os.close(opened)
    return open(number, "w", encoding="utf-8", closefd=False)
