"""The k3s executable: a local file, or a release that is fetched once, checked against its checksum, and kept."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import urlopen

from harness.failures import BadInput, OperationFailed
from harness.progress import PROGRESS

DEFAULT_VERSION = "v1.34.2+k3s1"
"""The release that Cedana's own tests run (test/k8s of cedana/cedana)."""
VERSION = re.compile(r"v\d+\.\d+\.\d+(-rc\d+)?\+k3s\d+")
RELEASES = "https://github.com/k3s-io/k3s/releases/download"
ASSETS = {"x86_64": ("amd64", "k3s"), "aarch64": ("arm64", "k3s-arm64")}
"""By machine: the architecture in the name of the file with the checksums, and the asset (install.sh of k3s)."""
ELF_MACHINES = {"x86_64": 62, "aarch64": 183}
CONNECT_SECONDS = 30
TELL_EVERY = 5.0
"""Seconds between lines about a download."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """Where releases are fetched from and kept."""

    releases: str = RELEASES
    machine: str = platform.machine()

    @property
    def cache(self) -> Path:
        """The user's cache directory (XDG_CACHE_HOME, else ~/.cache)."""
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cedana-e2e" / "k3s"


def local(path: Path, machine: str = "") -> Path:
    """A k3s that is there already.

    Raises:
        BadInput: it is no file, cannot be executed, or is made for another kind of processor.
    """
    if not path.is_file():
        raise BadInput("binary", path, "the path of a k3s executable")
    if not os.access(path, os.X_OK):
        raise BadInput("binary", path, "an executable file (`chmod +x` makes it one)")
    machine = machine or platform.machine()
    with path.open("rb") as file:
        head = file.read(20)
    made_for = int.from_bytes(head[18:20], "little") if head[:4] == b"\x7fELF" else None
    if made_for is not None and machine in ELF_MACHINES and made_for != ELF_MACHINES[machine]:
        names = {number: name for name, number in ELF_MACHINES.items()}
        raise BadInput(
            "binary", path, f"an executable for {machine}", look=f"it is one for {names.get(made_for, made_for)}"
        )
    return path.resolve()


def fetched(version: str, tell: Callable[[str], object], source: Source | None = None) -> Path:
    """The executable of a release: from the user's cache, else fetched into it.

    Args:
        version: as its tag has it, such as `v1.34.2+k3s1`.
        tell: is given a line now and then about a long download.

    Raises:
        BadInput: there are no such releases for this kind of processor, or the version is no name of one.
        OperationFailed: it cannot be fetched, or is not what its checksum says; cause `download-failed`.
    """
    source = source or Source()
    if not VERSION.fullmatch(version):
        raise BadInput("version", version, f"the name of a k3s release, such as {DEFAULT_VERSION}")
    if source.machine not in ASSETS:
        raise BadInput("processor", source.machine, f"one that k3s is used on here: {', '.join(ASSETS)}")
    architecture, asset = ASSETS[source.machine]
    kept = source.cache / version / asset
    if kept.is_file():  # it got its name when its checksum had been seen
        return kept
    place = f"{source.releases}/{quote(version, safe='')}"
    expected = _checksum(f"{place}/sha256sum-{architecture}.txt", asset)
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=kept.parent, prefix=f"{asset}.")
    try:
        with os.fdopen(handle, "wb") as out:
            found = _download(f"{place}/{asset}", out.write, tell)
        if found != expected:
            raise _failed(f"{place}/{asset} with the checksum {expected}", f"it has {found}")
        Path(draft).chmod(stat.S_IRWXU)
        Path(draft).rename(kept)
    finally:
        Path(draft).unlink(missing_ok=True)
    return kept


def _checksum(url: str, asset: str) -> str:
    lines: list[bytes] = []
    _download(url, lines.append, lambda _: None)
    for line in b"".join(lines).decode(errors="replace").splitlines():
        found, _, name = line.partition(" ")
        if name.strip() == asset and re.fullmatch(r"[0-9a-f]{64}", found):
            return found
    raise _failed(f"a checksum of {asset} in {url}", "there is none")


def _download(url: str, take: Callable[[bytes], object], tell: Callable[[str], object]) -> str:
    """Fetches into `take`; the checksum of all of it."""
    digest, size, whole, told = hashlib.sha256(), 0, 0, time.monotonic()

    def seen() -> str:
        return f"{size >> 20} MiB of {f'{whole >> 20} MiB' if whole else 'an unknown size'}"

    with _opened(url) as answer, PROGRESS.awaiting(f"the download of {url}", None, seen):
        whole = int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(CHUNK):
            take(chunk)
            digest.update(chunk)
            size += len(chunk)
            if time.monotonic() - told >= TELL_EVERY:
                told = time.monotonic()
                tell(f"{url}: {seen()}")
        if size < whole:
            raise _failed(f"all {whole} bytes of {url}", f"the connection ended after {size}")
    return digest.hexdigest()


@contextmanager
def _opened(url: str) -> Iterator[HTTPResponse]:
    try:
        with urlopen(url, timeout=CONNECT_SECONDS) as answer:  # noqa: S310 - the scheme is ours
            yield cast(HTTPResponse, answer)
    except HTTPError as problem:
        hint = "there is no such release" if problem.code == 404 else str(problem.reason)
        raise _failed(f"{url} to be there", f"{problem.code}: {hint}") from None
    except (URLError, OSError, HTTPException) as problem:
        raise _failed(f"{url} to be fetched", str(getattr(problem, "reason", problem))) from None


def _failed(expected: str, seen: str) -> OperationFailed:
    look = "K3S_BINARY uses a k3s that is on this machine, and K3S_VERSION another release"
    return OperationFailed(expected, seen, look, cause="download-failed")
