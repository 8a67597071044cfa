"""Every setting of a run: command line (`-v NAME:value`) over environment over default.

`get_variables` gives one `${SETTINGS}` object. Robot Framework goes on after a variable file that raises, so nothing is
raised here: what is wrong is kept in `${SETTINGS.errors}`, and the first thing that a run does is to look at it.
"""

from __future__ import annotations

import os
import re
import stat
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from robot.api.types import Secret
from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError
from robot.utils import timestr_to_secs

PUBLISHED_CHART = "oci://registry-1.docker.io/cedana/cedana-helm"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
CLUSTER_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,126}[A-Za-z0-9])?")

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
    """A chart: a path, looked at where the text can be nothing else, or a reference, which is Helm's to judge."""
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


@dataclass(frozen=True)
class Setting:
    """One setting. `empty_is_wrong`: set to nothing is an error; elsewhere it means not set."""

    name: str
    default: str | None
    parse: Parser
    meaning: str
    empty_is_wrong: bool = False


IMAGES = ("nginx", "alpine", "busybox", "redis", "python")
NAME_RULE = "a DNS label: at most 63 of a-z, 0-9 and '-'"
TABLE = (
    Setting(
        "PROVIDER",
        "sandbox",
        one_of("sandbox", "existing", generic="existing"),
        "Where the cluster comes from: `sandbox` (embedded, emulated) or `existing` (alias `generic`: KUBECONFIG)",
        empty_is_wrong=True,
    ),
    Setting(
        "KUBECONFIG",
        "~/.kube/config",
        kubeconfig,
        "Kubeconfig of the cluster, used with PROVIDER=existing only",
        empty_is_wrong=True,
    ),
    Setting("KUBE_CONTEXT", None, str, "Context in that kubeconfig; its current one by default"),
    Setting("CEDANA_URL", None, url, "The propagator; by default the sandbox's own"),
    Setting("CEDANA_CA_BUNDLE", None, file_with_text, "File with certificate authorities to trust there"),
    Setting("CLUSTER_ID", None, matching(UUID, "a lower-case UUID"), "Id of a cluster that is registered already"),
    Setting("CLUSTER_NAME", None, matching(CLUSTER_NAME, "at most 128 letters, digits and '-_.'"), "Name to register"),
    Setting("NAMESPACE", None, matching(DNS_LABEL, NAME_RULE), "Namespace of the workloads; one of the run's own"),
    Setting("CEDANA_NAMESPACE", "cedana-system", matching(DNS_LABEL, NAME_RULE), "Namespace of the Cedana release"),
    Setting(
        "HELM_CHART", None, chart, f"Chart path, archive or reference; else the sandbox's own or {PUBLISHED_CHART}"
    ),
    Setting("HELM_VALUES", None, file_with_text, "A values file for the chart; what the run sets itself wins over it"),
    Setting("SKIP_HELM", "0", switch, "1: install nothing, use the Cedana that is there"),
    Setting("RUNC_ROOT", "/run/containerd/runc/k8s.io", str, "Root of runc's state on the nodes"),
    Setting("WORKLOAD_IMAGE", None, str, "Another name for `NGINX_IMAGE`, which wins over it"),
    *(
        Setting(f"{name.upper()}_IMAGE", None, str, f"Image for the workloads' containers that have one of `{name}`")
        for name in IMAGES
    ),
    Setting(
        "KEEP",
        "never",
        one_of("never", "on-failure", "always"),
        "When to leave the environment up: `never`, `on-failure`, `always`",
        empty_is_wrong=True,
    ),
    Setting("CLUSTER_TIMEOUT", "300 s", duration, "Until the nodes are Ready"),
    Setting("INSTALL_TIMEOUT", "420 s", duration, "Until the Cedana release is deployed and its pods are Ready"),
    Setting("POD_TIMEOUT", "60 s", duration, "Until a workload's pod is Ready"),
    Setting("CHECKPOINT_TIMEOUT", "300 s", duration, "Until a checkpoint is done"),
    Setting("RESTORE_TIMEOUT", "300 s", duration, "Until a restore is done, and until the restored pod is Ready"),
    Setting("WITNESS_TIMEOUT", "30 s", duration, "Until a witness prints what is waited for"),
    Setting("DELETE_TIMEOUT", "120 s", duration, "Until a deleted object is gone"),
    Setting("SERVICE_TIMEOUT", "30 s", duration, "Until a Service answers"),
    Setting("CLEANUP_TIMEOUT", "300 s", duration, "For removing everything at the end"),
    Setting("STABLE_TIME", "5 s", duration, "How long a restored pod must stay Ready"),
)
TOKEN = "CEDANA_AUTH_TOKEN"  # noqa: S105 - the name of the setting
TOKEN_MEANING = "The propagator's token, by the environment only"  # noqa: S105
TOKEN_FILE = Setting("CEDANA_AUTH_TOKEN_FILE", None, token_file, "A file with the token, mode 0600")


@dataclass
class Settings:
    """The settings that hold for this run; what is wrong with them, a sentence each, is in `errors`."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    PUBLISHED_CHART = PUBLISHED_CHART

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(f"there is no setting {name}") from None

    @property
    def images(self) -> dict[str, str]:
        """The images that are set, by the repository that they stand for."""
        chosen = {name: self.values[f"{name.upper()}_IMAGE"] for name in IMAGES}
        chosen["nginx"] = chosen["nginx"] or self.values["WORKLOAD_IMAGE"]
        return {name: image for name, image in chosen.items() if image}

    @property
    def provider_title(self) -> str:
        """The provider as reports name it."""
        return "sandbox, emulated" if self.PROVIDER == "sandbox" else str(self.PROVIDER)

    def __str__(self) -> str:
        return f"the settings of this run (provider {self.values.get('PROVIDER')})"


def read(command_line: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """The settings that these two sources give, everything wrong with them collected."""
    settings = Settings()
    for setting in (*TABLE, TOKEN_FILE):
        given = command_line.get(setting.name, environment.get(setting.name))
        text = setting.default if given is None or (given == "" and not setting.empty_is_wrong) else str(given)
        if setting.name == "KUBECONFIG" and settings.values.get("PROVIDER") != "existing":
            text = None
        settings.values[setting.name] = _parsed(setting, text, settings.errors)
    settings.values[TOKEN] = _token(command_line, environment, settings)
    if settings.values["PROVIDER"] == "existing":
        _check_service(settings)
    return settings


def _parsed(setting: Setting, text: str | None, errors: list[str]) -> Any:
    if text is None:
        return None
    try:
        return setting.parse(text)
    except WrongSettingError as problem:
        shown = "empty" if text == "" else repr(text)
        errors.append(f"{setting.name} is {shown}; it must be {problem}.")
        return None


def _token(command_line: Mapping[str, Any], environment: Mapping[str, str], settings: Settings) -> Secret | None:
    if command_line.get(TOKEN) is not None:
        settings.errors.append(
            f"{TOKEN} was given on the command line, where everybody on this machine can read it; "
            f"it must come from the environment, or from a 0600 file named by {TOKEN_FILE.name}."
        )
        return None
    text = environment.get(TOKEN, "").strip()
    from_file: Secret | None = settings.values[TOKEN_FILE.name]
    if not text:
        return from_file
    if re.search(r"[^\x21-\x7e]", text):
        settings.errors.append(f"{TOKEN} has a blank or a character that cannot stand in an HTTP header.")
    return Secret(text)


def _check_service(settings: Settings) -> None:
    missing = [name for name in ("CEDANA_URL", TOKEN) if settings.values[name] is None]
    for name in missing:
        if not any(error.startswith((f"{name} ", f"{name}_FILE ")) for error in settings.errors):
            settings.errors.append(f"{name} is not set; PROVIDER=existing needs it.")


def get_variables() -> dict[str, Settings]:
    """Robot Framework's entry point: `${SETTINGS}`."""
    return {"SETTINGS": read(_command_line(), os.environ)}


def _command_line() -> dict[str, Any]:
    names = [setting.name for setting in (*TABLE, TOKEN_FILE)] + [TOKEN]
    try:
        given = {name: BuiltIn().get_variable_value(f"${{{name}}}") for name in names}
    except RobotNotRunningError:
        return {}
    return {name: value for name, value in given.items() if value is not None}
