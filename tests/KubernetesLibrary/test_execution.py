"""How a command in a container ended, as the API tells it on the connection's last channel."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from tests.harness.fake_api import status

from harness.failures import OperationFailed
from harness.kube.errors import handshake_refusal, server_words
from KubernetesLibrary.execution import Execution, _exit_code


def ended(code: int) -> dict[str, Any]:
    """The Status of a command that ended with that code."""
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}


@pytest.mark.parametrize(
    ("said", "code"), [({"metadata": {}, "status": "Success"}, 0), (ended(3), 3), (ended(137), 137)]
)
def test_the_exit_code(said: dict[str, Any], code: int) -> None:
    assert _exit_code(json.dumps(said), "x in pod a/b") == code


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (json.dumps(status(500, "Internal error occurred: exec: no such file")), "exec: no such file"),
        ("", "the connection ended without an exit code"),
        ('{"status": "Fail', "the connection ended without an exit code"),
    ],
)
def test_a_command_that_has_no_exit_code(error: str, seen: str) -> None:
    with pytest.raises(OperationFailed, match=seen):
        _exit_code(error, "x in pod a/b")


def test_a_refused_handshake_is_told_in_the_servers_words() -> None:
    body = json.dumps(status(404, 'pods "web" not found'))
    problem = ApiException(0, f"Handshake status 404 Not Found -+-+- {{'server': 'x'}} -+-+- {body}")
    readable = handshake_refusal(problem)
    assert (readable.status, server_words(readable)) == (404, 'pods "web" not found')


def test_a_refusal_without_a_body_keeps_its_reason() -> None:
    readable = handshake_refusal(ApiException(0, "Handshake status 502 Bad Gateway -+-+- {} -+-+- None"))
    assert (readable.status, server_words(readable)) == (502, "Bad Gateway")
    other = ApiException(0, "Connection refused")
    assert handshake_refusal(other) is other


def test_what_a_command_said_is_shown_shortly() -> None:
    assert str(Execution(("x",), 1, "out", "a\nb")) == "exit code 1, it said 'a b'"
    assert str(Execution(("x",), 0, "", "")) == "exit code 0"
