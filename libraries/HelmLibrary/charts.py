"""Names and chart references, judged before anything is created."""

from __future__ import annotations

import re
from pathlib import Path

from harness.failures import BadInput

from .releases import Chart

CHART_FORMS = "a chart directory, a .tgz archive, an oci:// reference, or the name of a chart together with repo="
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"


def chart_of(reference: str, version: str | None, repository: str | None) -> Chart:
    """The chart that these three mean. A version may also stand behind the reference: `oci://host/charts/name:1.2.3`.

    Raises:
        BadInput: there is no such directory or archive, or the form is none that Helm takes.
    """
    plain, tagged = _split(reference)
    if tagged and version and tagged != version:
        raise BadInput("version", version, f"the one in the reference, {tagged}, or none", cause="bad-chart")
    version = version or tagged
    if repository is not None:
        if not re.match(r"https?://[^/]", repository):
            raise BadInput("repo", repository, "the http:// or https:// URL of a chart repository", cause="bad-chart")
        if not re.fullmatch(r"[\w.-]+", plain):
            raise BadInput("chart", reference, "the plain name of a chart in the repository", cause="bad-chart")
        return Chart(plain, version, repository)
    if re.match(r"oci://[^/]+/.", reference):
        return Chart(plain, version)
    _check_path(reference)
    return Chart(str(Path(reference).expanduser().resolve()), None)


def _split(reference: str) -> tuple[str, str | None]:
    """`oci://host:5000/charts/name:1.2.3` and `name:1.2.3` without their version, and the version."""
    head, slash, last = reference.rpartition("/")
    name, _, version = last.partition(":") if "@" not in last else (last, "", "")
    return f"{head}{slash}{name}", version or None


def _check_path(reference: str) -> None:
    path = Path(reference).expanduser()
    if not reference or "://" in reference:
        raise BadInput("chart", reference, CHART_FORMS, cause="bad-chart")
    if not path.exists():
        raise BadInput("chart", reference, f"{CHART_FORMS}; there is no such file or directory", cause="bad-chart")
    if path.is_dir() and not (path / "Chart.yaml").is_file():
        raise BadInput("chart", reference, f"{CHART_FORMS}; the directory has no Chart.yaml", cause="bad-chart")
    if path.is_file() and path.suffix not in (".tgz", ".gz"):
        raise BadInput("chart", reference, CHART_FORMS, cause="bad-chart")


def check_release(name: str) -> None:
    """Helm's rule for release names.

    Raises:
        BadInput: it is not one.
    """
    if len(name) > 53 or not re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", name):
        raise BadInput(
            "release", name, "1 to 53 lower-case letters, digits, '-' and '.', with a letter or digit at its ends"
        )


def check_namespace(name: str) -> None:
    """Kubernetes' rule for namespaces.

    Raises:
        BadInput: it is not one.
    """
    if len(name) > 63 or not re.fullmatch(_LABEL, name):
        raise BadInput(
            "namespace", name, "1 to 63 lower-case letters, digits and '-', with a letter or digit at its ends"
        )
