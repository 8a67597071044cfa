"""Names, charts and values that cannot be used: one sentence each, before anything is created."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from robot.api.types import Secret
from tests.HelmLibrary.places import TOKEN

from harness.failures import BadInput, OperationFailed
from harness.kube.connection import Clusters
from harness.ledger import Ledger
from harness.secrets import SECRETS
from HelmLibrary import HelmLibrary, library
from HelmLibrary.charts import chart_of
from HelmLibrary.values import masked, values_of

CHART = Path(__file__).parents[2] / "libraries" / "sandbox" / "chart" / "cedana"
FORMS = "a chart directory, a .tgz archive, an oci:// reference, or the name of a chart together with repo="


def install(release: str = "cedana", chart: str = str(CHART), **options: Any) -> None:
    HelmLibrary().install_chart(release, chart, timeout=timedelta(seconds=5), **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"chart": "/no/such/chart"},
            f"chart is '/no/such/chart'; it must be {FORMS}; there is no such file or directory.",
        ),
        ({"chart": ""}, f"chart is empty; it must be {FORMS}."),
        ({"chart": "https://charts.example.com"}, f"chart is 'https://charts.example.com'; it must be {FORMS}."),
        (
            {"chart": str(CHART / "templates")},
            f"chart is '{CHART}/templates'; it must be {FORMS}; the directory has no Chart.yaml.",
        ),
        ({"chart": str(CHART / "values.yaml")}, f"chart is '{CHART}/values.yaml'; it must be {FORMS}."),
        (
            {"chart": "x", "repo": "charts.example.com"},
            "repo is 'charts.example.com'; it must be the http:// or https:// URL of a chart repository.",
        ),
        (
            {"chart": "./x", "repo": "https://charts.example.com"},
            "chart is './x'; it must be the plain name of a chart in the repository.",
        ),
        (
            {"release": "Cedana_1"},
            "release is 'Cedana_1'; it must be 1 to 53 lower-case letters, digits, '-' and '.', with a letter or digit "
            "at its ends.",
        ),
        (
            {"namespace": "a.b"},
            "namespace is 'a.b'; it must be 1 to 63 lower-case letters, digits and '-', with a letter or digit at its "
            "ends.",
        ),
        (
            {"values_file": Path("/no/values.yaml")},
            "values_file is '/no/values.yaml'; it must be a YAML file that exists.",
        ),
        (
            {"values": {"config": {"url": object()}}},
            "values.config.url is 'object'; it must be text, a number, true or false, nothing, a list or a map.",
        ),
    ],
)
def test_one_sentence(options: dict[str, Any], sentence: str, ledger: Ledger) -> None:
    with pytest.raises(BadInput) as problem:
        install(**options)
    assert str(problem.value).splitlines()[0] == sentence
    assert not ledger.owed()


@pytest.mark.parametrize(
    ("content", "allowed"),
    [
        ("", "a YAML file with values in it; this one is empty"),
        ("# nothing\n", "a YAML file with values in it; this one is empty"),
        ("- a\n- b\n", "a YAML map of values; this one holds a list"),
        ("a: [1\n", "a YAML file; this one cannot be parsed"),
    ],
)
def test_values_files_that_hold_no_values(content: str, allowed: str, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(content)
    with pytest.raises(BadInput) as problem:
        install(values_file=file)
    assert str(problem.value).splitlines()[0] == f"values_file is '{file}'; it must be {allowed}."


@pytest.mark.parametrize("name", ["a", "my-release.2", "a" * 53])
def test_good_release_names_get_as_far_as_the_cluster(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "CLUSTERS", Clusters())
    with pytest.raises(OperationFailed, match="none is connected"):
        install(name)


@pytest.mark.parametrize(
    ("reference", "repository", "expected"),
    [
        ("oci://registry-1.docker.io/cedana/cedana-helm", None, "oci://registry-1.docker.io/cedana/cedana-helm"),
        ("cedana-helm", "https://charts.example.com", "cedana-helm"),
        (str(CHART), None, str(CHART)),
    ],
)
def test_forms_of_charts(reference: str, repository: str | None, expected: str) -> None:
    chart = chart_of(reference, "1.2.3", repository)
    assert (chart.reference, chart.repository) == (expected, repository)


def test_a_relative_chart_is_found_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHART.parent)
    assert chart_of("./cedana", None, None).reference == str(CHART)


def reveal(value: Any) -> str | None:
    return value.value if isinstance(value, Secret) else None


def test_secrets_at_any_depth_are_revealed_for_helm_only() -> None:
    values = values_of({"config": {"authToken": Secret(TOKEN), "list": [Secret("another-secret"), 1]}}, None, reveal)
    assert values.own == {"config": {"authToken": TOKEN, "list": ["another-secret", 1]}}
    assert TOKEN not in repr(values)
    assert SECRETS.redact(f"{TOKEN} another-secret") == "<secret> <secret>"


def test_robots_own_maps_become_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    from robot.utils import DotDict

    own = values_of(DotDict(a=DotDict(b=(1, 2))), None, reveal).own
    assert own == {"a": {"b": [1, 2]}}
    assert type(own["a"]) is dict


@pytest.mark.parametrize("name", ["authToken", "awsSecretAccessKey", "db_password", "privateKey", "credentials"])
def test_what_sounds_like_a_secret_is_masked(name: str) -> None:
    assert masked({"config": {name: "abc", "url": "http://x"}}) == {"config": {name: "<secret>", "url": "http://x"}}


def test_known_secrets_are_masked_wherever_they_stand() -> None:
    values_of({"a": Secret(TOKEN)}, None, reveal)
    assert masked({"url": [f"http://u:{TOKEN}@host"], "empty_token": "", "n": 3}) == {
        "url": ["http://u:<secret>@host"],
        "empty_token": "",
        "n": 3,
    }


def test_libraries_do_nothing_at_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    HelmLibrary()


def keywords() -> list[Callable[..., Any]]:
    return [one for one in vars(HelmLibrary).values() if hasattr(one, "robot_name")]


@pytest.mark.parametrize("keyword", keywords(), ids=lambda keyword: keyword.__name__)
def test_each_keyword_is_documented(keyword: Callable[..., Any]) -> None:
    doc = keyword.__doc__ or ""
    assert doc.splitlines()[0].endswith(".")
    assert "Args:" in doc
    assert "```robotframework" in doc
    names = [name for name in keyword.__annotations__ if name != "return"]
    missing = [name for name in names if f"            {name}: " not in doc]
    assert not missing
