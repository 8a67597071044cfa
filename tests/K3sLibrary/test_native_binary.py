"""The k3s executable: fetched once, believed only with its checksum, and clear about what is wrong with a local one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from harness.failures import BadInput, OperationFailed
from K3sLibrary.native import binary
from K3sLibrary.native.binary import DEFAULT_VERSION, Source, fetched, local
from parsers import K3S_RELEASE
from settings import TABLE

CONTENT = b"#!/bin/sh\necho k3s\n" * 1000


@dataclass
class Releases:
    """A server of releases. `files`: by path; `asked`: what was asked for; `cut`: bytes that a file ends short of."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    cut: int = 0
    url: str = ""

    def source(self, machine: str = "x86_64") -> Source:
        """Where the code under test looks."""
        return Source(self.url, machine)


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    """A server with the default release for two architectures, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = Releases()
    for architecture, asset in (("amd64", "k3s"), ("arm64", "k3s-arm64")):
        content = CONTENT + asset.encode()
        sums = f"{hashlib.sha256(content).hexdigest()}  {asset}\n{'0' * 64}  k3s-airgap-images-{architecture}.tar\n"
        found.files[f"/{DEFAULT_VERSION}/{asset}"] = content
        found.files[f"/{DEFAULT_VERSION}/sha256sum-{architecture}.txt"] = sums.encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path)
            found.asked.append(path)
            if (content := found.files.get(path)) is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) - (0 if path.endswith(".txt") else found.cut)])

        def log_message(self, *_: Any) -> None:
            """Is silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield found
        server.shutdown()


def get(releases: Releases, machine: str = "x86_64") -> Path:
    """Fetches the default release."""
    return fetched(DEFAULT_VERSION, lambda _: None, releases.source(machine))


@pytest.mark.parametrize(("machine", "asset"), [("x86_64", "k3s"), ("aarch64", "k3s-arm64")])
def test_a_release_is_fetched_for_the_machine(machine: str, asset: str, releases: Releases) -> None:
    file = get(releases, machine)
    assert file.read_bytes() == CONTENT + asset.encode()
    assert file.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.parent.iterdir()] == [asset]


def test_it_is_fetched_once(releases: Releases) -> None:
    first = get(releases)
    releases.asked.clear()
    assert get(releases) == first
    assert releases.asked == []


def test_a_wrong_checksum_is_no_k3s(releases: Releases) -> None:
    releases.files[f"/{DEFAULT_VERSION}/k3s"] = b"something else"
    with pytest.raises(OperationFailed, match=r"it has [0-9a-f]{64}") as failure:
        get(releases)
    assert failure.value.cause.name == "download-failed"
    assert not [path for path in releases.source().cache.rglob("*") if path.is_file()]


def test_a_download_that_ends_early_is_told(releases: Releases) -> None:
    releases.cut = 100
    with pytest.raises(OperationFailed) as failure:
        get(releases)
    assert f"the connection ended after {len(CONTENT + b'k3s') - 100}" in failure.value.seen
    assert not [path for path in releases.source().cache.rglob("*") if path.is_file()]


def test_a_checksum_that_is_not_there_is_told(releases: Releases) -> None:
    releases.files[f"/{DEFAULT_VERSION}/sha256sum-amd64.txt"] = b"<html>"
    with pytest.raises(OperationFailed, match="a checksum of k3s in"):
        get(releases)


def test_a_release_that_is_not_there_is_told(releases: Releases) -> None:
    with pytest.raises(OperationFailed) as failure:
        fetched("v1.99.0+k3s1", lambda _: None, releases.source())
    assert "404: there is no such release" in failure.value.seen
    assert "/v1.99.0%2Bk3s1/" in failure.value.expected


def test_without_a_network_it_says_so_and_what_else_there_is(releases: Releases) -> None:
    with pytest.raises(OperationFailed) as failure:
        fetched(DEFAULT_VERSION, lambda _: None, Source("http://127.0.0.1:1"))
    assert "refused" in failure.value.seen
    assert "K3S_BINARY" in failure.value.look


def test_a_long_download_is_told_in_lines(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "TELL_EVERY", 0.0)
    lines: list[str] = []
    fetched(DEFAULT_VERSION, lines.append, releases.source())
    assert lines[0].startswith(f"{releases.url}/v1.34.2%2Bk3s1/k3s: 0 MiB of 0 MiB")


@pytest.mark.parametrize("machine", ["armv7l", "riscv64"])
def test_other_machines_are_refused(machine: str, releases: Releases) -> None:
    with pytest.raises(BadInput, match="x86_64, aarch64"):
        get(releases, machine)
    assert releases.asked == []


@pytest.mark.parametrize("version", ["1.34.2", "latest", "v1.34", "../../etc"])
def test_what_is_no_release_is_refused(version: str, releases: Releases) -> None:
    with pytest.raises(BadInput, match="the name of a k3s release"):
        fetched(version, lambda _: None, releases.source())


def test_the_setting_and_the_keyword_mean_the_same_release() -> None:
    (setting,) = [one for one in TABLE if one.name == "K3S_VERSION"]
    assert setting.default == DEFAULT_VERSION
    assert K3S_RELEASE(DEFAULT_VERSION) == DEFAULT_VERSION


def test_a_local_one_for_another_processor_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "k3s"
    file.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(11) + (183).to_bytes(2, "little") + bytes(40))
    file.chmod(0o755)
    with pytest.raises(BadInput) as failure:
        local(file, "x86_64")
    assert failure.value.look == "it is one for aarch64"
    assert local(file, "aarch64") == file


def test_a_local_one_has_to_be_an_executable_file(tmp_path: Path) -> None:
    file = tmp_path / "k3s"
    with pytest.raises(BadInput, match="the path of a k3s executable"):
        local(file)
    file.write_text("#!/bin/sh\n")
    with pytest.raises(BadInput, match="chmod"):
        local(file)
