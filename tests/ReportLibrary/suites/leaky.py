"""Keywords that let secrets out in every way a library can."""

import base64
import logging
import os
import signal
import sys
import threading
import urllib.parse
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from known import VALUE
from robot.api import Error, FatalError, logger
from robot.libraries.BuiltIn import BuiltIn

from harness.kube import CLUSTERS, Cluster
from ReportLibrary import diagnostics


def the_secret():
    """Returns the secret in the clear."""
    return "s3cr3t-" + "t0ken/with+odd&<chars>" + "-tail9x7q"


def log_everywhere(secret):
    for level in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR"):
        logger.write(f"{level} {secret}", level)
    logger.write(f"<b>{secret}</b>", "INFO", html=True)
    logger.console(f"console {secret}")
    logger.info(f"also console {secret}", also_console=True)
    print(f"stdout {secret}")
    print(f"*WARN* stdout warn {secret}")
    print(f"stderr {secret}", file=sys.stderr)
    sys.__stdout__.write(f"real stdout {secret}\n")
    sys.__stderr__.write(f"real stderr {secret}\n")
    logging.getLogger("leaky").info("python logging %s", secret)


def raise_with(secret):
    raise RuntimeError(f"before {secret} after")


def raise_chained(secret):
    try:
        raise ValueError(f"inner {secret}")  # noqa: TRY301
    except ValueError as problem:
        raise RuntimeError(f"outer {secret}") from problem


def raise_url_encoded(secret):
    raise RuntimeError("GET http://x/?token=" + urllib.parse.quote(secret, safe="") + "&a=1 failed")


def raise_base64(secret):
    raise RuntimeError("Authorization: Basic " + base64.b64encode(f"user:{secret}".encode()).decode())


def raise_fatal(secret):
    raise FatalError(f"fatal {secret}")


def raise_error(secret):
    raise Error(f"error {secret}")


def run_other(secret):
    BuiltIn().run_keyword("Log", secret)
    BuiltIn().run_keyword_and_ignore_error("Fail", secret)


def returns_much(secret):
    return {"nested": [secret, {"key": secret}], secret: 1}


def returns_long(secret):
    """The secret stands where Robot cuts a long value."""
    return "x" * 180 + secret


def kill_this_run():
    os.kill(os.getpid(), signal.SIGKILL)


def stop_this_run():
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(120)


def leave_diagnostics_time():
    """However busy the machine is."""
    diagnostics.WITHIN, diagnostics.ONE_CALL = 240.0, 60.0


def fail_once(name, failed=[]):  # noqa: B006 - a memory across attempts is the point
    if name not in failed:
        failed.append(name)
        raise AssertionError(f"Expected: b\nSeen: {VALUE}\nCause: restore-timeout (product)")


@dataclass
class Verdict:
    verdict: str = "restarted"
    at: datetime = datetime(2026, 1, 2, tzinfo=UTC)


def connect(kubeconfig):
    CLUSTERS.add(Cluster("test", Path(kubeconfig)))


def disconnect():
    CLUSTERS.discard("test")


def file_is_in(directory, name):
    assert (directory / name).is_file(), sorted(directory.iterdir())
