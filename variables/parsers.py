"""How the texts of settings are judged: each parser gives the value, or says what is allowed."""

from __future__ import annotations

import os
import re
import stat
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from robot.api.types import Secret
from robot.utils import timestr_to_secs

PUBLISHED_CHART = "oci://registry-1.docker.io/cedana/cedana-helm"
VERSION = re.compile(r"v?\d+\.\d+\.\d+[-+.\w]*")

Parser = Callable[[str], Any]


class WrongSettingError(ValueError):
    """The value cannot be used; the text says what is allowed."""


def one_of(*allowed: str, **aliases: str) -> Parser:
    """A parser for a choice; `aliases` are other names for allowed values."""

    def parse(text: str) -> str:
        if text in allowed:
            return text
        if text in aliases:
            return aliases[text]
        raise WrongSettingError(f"one of {', '.join([*allowed, *aliases])}")

    return parse


def matching(pattern: re.Pattern[str], allowed: str) -> Parser:
    """A parser for a text that has to match `pattern` as a whole."""

    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise WrongSettingError(allowed)
        return text

    return parse


def duration(text: str) -> float:
    """Seconds of a duration in Robot Framework's notation: `90`, `90 s`, `2 min`, `1 hour 5 min`."""
    try:
        seconds = float(timestr_to_secs(text))
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 7 * 24 * 3600:
        raise WrongSettingError("a duration longer than 0 and shorter than a week, such as 90 s or 2 min")
    return seconds


def switch(text: str) -> bool:
    """A yes or no: 1/0, true/false, yes/no."""
    lower = text.lower()
    if lower not in {"1", "0", "true", "false", "yes", "no"}:
        raise WrongSettingError("1 or 0")
    return lower in {"1", "true", "yes"}


def count(most: int) -> Parser:
    """A parser for a whole number from 1 on."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= most:
            raise WrongSettingError(f"a whole number from 1 to {most}")
        return int(text)

    return parse


def url(text: str) -> str:
    """A propagator URL, with or without scheme and the `/v1` that CEDANA_URL has by convention."""
    allowed = "the URL of a propagator, such as https://ci.cedana.ai"
    if re.search(r"\s", text):
        raise WrongSettingError(allowed)
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        fits = parts.scheme.lower() in {"http", "https"} and parts.port != 0 and _is_host(parts.hostname, "://" in text)
    except ValueError:
        fits = False
    if not fits:
        raise WrongSettingError(allowed)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise WrongSettingError(f"{allowed}, without credentials, query and fragment")
    return text


def _is_host(name: str | None, scheme_given: bool) -> bool:
    """Without a scheme a single word is taken for a mistake, not for a host."""
    return bool(name) and (scheme_given or name == "localhost" or "." in str(name) or ":" in str(name))


def file_with_text(text: str) -> Path:
    """The path of a readable file that is not empty."""
    try:
        path = Path(text).expanduser()
        empty = not path.read_text().strip()
    except (OSError, ValueError, RuntimeError) as problem:  # ValueError: no text, or a path that cannot be one
        raise WrongSettingError(f"the path of a readable file ({_words(problem)})") from None
    if empty:
        raise WrongSettingError("the path of a file that is not empty")
    return path


def some_file(text: str) -> Path:
    """The path of a file that is not empty, whatever is in it."""
    try:
        path = Path(text).expanduser().absolute()
        empty = not path.is_file() or not path.stat().st_size
    except (OSError, ValueError, RuntimeError) as problem:
        raise WrongSettingError(f"the path of a file ({_words(problem)})") from None
    if empty:
        raise WrongSettingError("the path of a file that is there and not empty")
    return path


def output_file(text: str) -> Path:
    """The path of a file that can be written; it need not be there yet."""
    allowed = "the path of a file that can be written, in a directory that is there"
    path = Path(text).expanduser().absolute()
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise WrongSettingError(allowed)
    return path


def executable(text: str) -> Path:
    """The path of a file that can be executed."""
    path = some_file(text)
    if not os.access(path, os.X_OK):
        raise WrongSettingError("the path of an executable file (`chmod +x` makes it one)")
    return path


def absolute_path(text: str) -> Path:
    """An absolute path, which need not be there."""
    if not text.startswith("/") or "\0" in text:
        raise WrongSettingError("an absolute path")
    return Path(text)


def kubeconfig(text: str) -> Path:
    """The path of a kubeconfig that names a cluster, or several paths as kubectl takes them."""
    named = [part for part in text.split(os.pathsep) if part]
    if not named:
        raise WrongSettingError("the path of a kubeconfig, or unset for ~/.kube/config")
    found = [_clusters_of(file_with_text(part)) for part in named]
    if not any(found):
        raise WrongSettingError("the path of a kubeconfig with a cluster in it")
    return Path(os.pathsep.join(str(Path(part).expanduser()) for part in named))


def _clusters_of(path: Path) -> int:
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError:
        raise WrongSettingError("the path of a kubeconfig; this file is no YAML") from None
    clusters = content.get("clusters") if isinstance(content, dict) else None
    return len(clusters) if isinstance(clusters, list) else 0


def chart(text: str) -> str:
    """A chart: a path, looked at where the text can be nothing else; a version of the published chart; or a reference,
    which is Helm's to judge."""
    if VERSION.fullmatch(text):
        return f"{PUBLISHED_CHART}:{text}"
    if "://" in text or not (text.startswith(("/", "./", "../", "~")) or text.endswith(".tgz")):
        return text
    try:
        path = Path(text).expanduser()
        inside = _archived(path) if path.is_file() else [file.name for file in path.iterdir()]
    except (OSError, ValueError, RuntimeError, EOFError, zlib.error, tarfile.TarError) as problem:
        raise WrongSettingError(f"the path of a chart's directory or archive ({_words(problem)})") from None
    if "Chart.yaml" not in inside:
        raise WrongSettingError("the path of a chart's directory or archive (there is no Chart.yaml in it)")
    return text


def address_of(what: str) -> Parser:
    """A parser for the URL of a service."""

    def parse(text: str) -> str:
        if not re.fullmatch(r"https?://[^\s/]+\S*", text) or urlsplit(text).username:
            raise WrongSettingError(f"the http:// or https:// URL of {what}, without credentials")
        return text

    return parse


def pushgateway(text: str) -> str | Secret:
    """The URL of a Pushgateway; a secret where it has the user and password of one that wants basic authentication."""
    found = re.fullmatch(r"https?://(?P<who>[^\s/@]+@)?[^\s/@?#]+[^\s?#@]*", text)
    if not found or (found["who"] and not re.fullmatch(r"[^:]+:[^:]+@", found["who"])):
        allowed = "the http:// or https:// URL of a Pushgateway, which may have user:password@ (percent-encoded)"
        raise WrongSettingError(allowed)
    return Secret(text) if found["who"] else text


def without_password(text: str) -> str:
    """What may be shown of a wrong URL."""
    return re.sub(r"(\w+://).*@", r"\1<secret>@", text)


def _archived(path: Path) -> list[str]:
    """The files in the top folder of an archive."""
    with tarfile.open(path, "r:gz") as archive:
        return [name.removeprefix("./").partition("/")[2] for name in archive.getnames()]


def token_file(text: str) -> Secret:
    """The token in a file that only its owner can read."""
    path = file_with_text(text)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise WrongSettingError("the path of a file with mode 0600, for it holds a token")
    return Secret(path.read_text().strip())


def _words(problem: Exception) -> str:
    if isinstance(problem, UnicodeDecodeError):
        return "it is no text"
    return (isinstance(problem, OSError) and problem.strerror) or str(problem)


UUID = matching(re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "a lower-case UUID")
DNS_NAME = matching(re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"), "a DNS label: at most 63 of a-z, 0-9 and '-'")
CLUSTER_NAME = matching(
    re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,126}[A-Za-z0-9])?"), "at most 128 letters, digits and '-_.'"
)
K3S_RELEASE = matching(
    re.compile(r"v\d+\.\d+\.\d+(-rc\d+)?\+k3s\d+"), "the name of a k3s release, such as v1.34.2+k3s1"
)
DIGEST = matching(re.compile(r"sha256:[0-9a-f]{64}"), "sha256: and 64 hexadecimal digits")
DIGIT = matching(re.compile(r"[1-9]"), "a number from 1 to 9")
NUMBER = matching(re.compile(r"\d{1,15}"), "a number of 0 or more")
WORD = matching(re.compile(r"\S+"), "a text without blanks")
