"""What an agent asks of its kubelet and of other agents, whatever its node's clock says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from propagator_server.stock.chart.node_agent import kubelet
from propagator_server.stock.chart.node_agent.peers import Peers
from propagator_server.stock.chart.node_agent.serving import Handler, TlsServer, server_context
from propagator_server.stock.chart.node_agent.settings import Address, Settings, read

SOON = timedelta(hours=1)


class Answering(Handler):
    """Notes what it was asked, and answers as a kubelet or another agent does."""

    asked: list[str]
    answered: bytes = b'{"items":["/var/lib/kubelet/checkpoints/checkpoint-w_n-main-2026.tar"]}'

    def do_POST(self) -> None:  # noqa: N802
        """The kubelet's part."""
        self.asked.append(self.path)
        if self.answered:
            self.answer(200, json.loads(self.answered))
        else:
            self.wfile.write(b"no HTTP at all\r\n\r\n")
            self.close_connection = True

    def do_GET(self) -> None:  # noqa: N802
        """Another agent's part."""
        self.asked.append(self.path)
        self.answer(200, {})


def secret(folder: Path, begins: datetime) -> None:
    """The agents' Secret, with a certificate that is valid from then on."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node-agent")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(begins + SOON)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    (folder / "token").write_text("the agents' token")


@contextmanager
def served(folder: Path, **attributes: Any) -> Iterator[tuple[Settings, list[str]]]:
    """Settings with which an agent reaches it as its kubelet, and what it was asked."""
    asked: list[str] = []
    context = server_context(str(folder / "tls.crt"), str(folder / "tls.key"))
    server = TlsServer(Address("127.0.0.1", 0), Answering, context, asked=asked, **attributes)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        given = {"NODE_NAME": "a", "HOST_IP": "127.0.0.1", "KUBELET": str(server.address), "DUMP_TIMEOUT": "900"}
        yield read({**given, "ACCOUNT_DIR": str(folder), "SECRET_DIR": str(folder)}), asked
    finally:
        server.shutdown()
        server.server_close()


def test_the_kubelet_is_given_the_time_for_the_dump(tmp_path: Path) -> None:
    secret(tmp_path, datetime.now(UTC))
    with served(tmp_path) as (settings, asked):
        assert kubelet.checkpoint(settings, "n", "w", "main") == "checkpoint-w_n-main-2026.tar"
    assert asked == ["/checkpoint/n/w/main?timeout=900"]


def test_what_is_no_http_is_no_answer(tmp_path: Path) -> None:
    secret(tmp_path, datetime.now(UTC))
    with served(tmp_path, answered=b"") as (settings, _), pytest.raises(kubelet.KubeletError, match="no answer"):
        kubelet.checkpoint(settings, "n", "w", "main")


@pytest.mark.parametrize("ahead", [timedelta(hours=-2), timedelta(), timedelta(days=1)])
def test_agents_know_each_other_whatever_their_clocks_say(ahead: timedelta, tmp_path: Path) -> None:
    secret(tmp_path, datetime.now(UTC) + ahead)
    with served(tmp_path) as (settings, asked):
        peers = Peers(settings)
        peers.know([str(settings.kubelet)])
        answer = peers.open("/v2/ck/x")
        assert answer
        answer.close()
    assert asked == ["/v1/registry/v2/ck/x"]


def test_an_agent_of_another_release_is_not_believed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    secret(other, datetime.now(UTC))
    secret(tmp_path, datetime.now(UTC))
    with served(other) as (settings, asked):
        peers = Peers(read({"NODE_NAME": "a", "HOST_IP": "127.0.0.1", "SECRET_DIR": str(tmp_path)}))
        peers.know([str(settings.kubelet)])
        assert peers.open("/v2/ck/x") is None
    assert asked == []


@pytest.mark.parametrize("text", ["0", "-1", "2m"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="DUMP_TIMEOUT"):
        read({"NODE_NAME": "a", "HOST_IP": "127.0.0.1", "DUMP_TIMEOUT": text})
