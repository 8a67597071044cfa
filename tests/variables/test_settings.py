"""Every setting: what it may be, where it may come from, and that all that is wrong is said at once."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import settings

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
users: [{name: u, user: {}}]
"""


@pytest.fixture
def existing(tmp_path: Path) -> dict[str, str]:
    """An environment in which PROVIDER=existing has all that it needs."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(KUBECONFIG)
    return {
        "PROVIDER": "existing",
        "KUBECONFIG": str(kubeconfig),
        "CEDANA_URL": "https://ci.cedana.ai/v1",
        "CEDANA_AUTH_TOKEN": "token-of-the-test",
    }


def test_without_any_setting_the_sandbox_runs_and_nothing_is_wrong() -> None:
    found = settings.read({}, {})
    assert found.errors == []
    assert found.PROVIDER == "sandbox"
    assert found.CEDANA_AUTH_TOKEN is None
    assert found.POD_TIMEOUT == 60.0
    assert found.provider_title == "sandbox, emulated"


def test_the_command_line_wins_over_the_environment_and_that_over_the_default() -> None:
    assert settings.read({"POD_TIMEOUT": "5 s"}, {"POD_TIMEOUT": "7 s"}).POD_TIMEOUT == 5.0
    assert settings.read({}, {"POD_TIMEOUT": "7 s"}).POD_TIMEOUT == 7.0


def test_generic_is_another_name_for_existing(existing: dict[str, str]) -> None:
    assert settings.read({}, existing | {"PROVIDER": "generic"}).PROVIDER == "existing"


def test_existing_with_everything_it_needs_is_fine(existing: dict[str, str]) -> None:
    found = settings.read({}, existing)
    assert found.errors == []
    assert found.CEDANA_AUTH_TOKEN.value == "token-of-the-test"


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PROVIDER", "minikube", "one of sandbox, k3s, docker, existing, generic"),
        ("PROVIDER", "", "one of sandbox, k3s, docker, existing, generic"),
        ("K3S_VERSION", "latest", "the name of a k3s release, such as v1.34.2+k3s1"),
        ("K3S_BINARY", "/no/such/k3s", "the path of a file that is there and not empty"),
        ("K3S_BINARY", "/etc/passwd", "the path of an executable file"),
        ("K3S_IMAGES", "/dev/null", "the path of a file that is there and not empty"),
        ("K3S_DIR", "clusters", "an absolute path"),
        ("KEEP", "sometimes", "one of never, on-failure, always"),
        ("CLUSTER_ID", "not-a-uuid", "a lower-case UUID"),
        ("CLUSTER_ID", "550E8400-E29B-41D4-A716-446655440000", "a lower-case UUID"),
        ("NAMESPACE", "Under_Score", "a DNS label"),
        ("CEDANA_NAMESPACE", "a" * 64, "a DNS label"),
        ("POD_TIMEOUT", "soon", "a duration"),
        ("POD_TIMEOUT", "0", "a duration longer than 0"),
        ("POD_TIMEOUT", "-3 s", "a duration longer than 0"),
        ("POD_TIMEOUT", "nan", "a duration"),
        ("POD_TIMEOUT", "inf", "a duration"),
        ("SEVERAL_PODS", "0", "a whole number from 1 to 500"),
        ("SEVERAL_PODS", "many", "a whole number from 1 to 500"),
        ("AT_ONCE", "1000", "a whole number from 1 to 100"),
        ("SECOND_CLUSTER_ID", "two", "a lower-case UUID"),
        ("SKIP_HELM", "maybe", "1 or 0"),
        ("CEDANA_URL", "not a url", "the URL of a propagator"),
        ("CEDANA_URL", "word", "the URL of a propagator"),
        ("CEDANA_URL", "http://", "the URL of a propagator"),
        ("CEDANA_URL", "ftp://ci.cedana.ai", "the URL of a propagator"),
        ("CEDANA_URL", "https://ci.cedana.ai:99999", "the URL of a propagator"),
        ("CEDANA_URL", "https://user:pass@ci.cedana.ai", "without credentials"),
        ("HELM_VALUES", "/nowhere/values.yaml", "the path of a readable file"),
        ("HELM_VALUES", "~nobody-of-that-name/values.yaml", "the path of a readable file"),
        ("HELM_VALUES", "\0", "the path of a readable file"),
        ("HELM_CHART", "/\0", "the path of a chart's directory or archive"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str, value: str, allowed: str) -> None:
    shown = settings.without_password(value)
    for source in ({name: value}, {}), ({}, {name: value}):
        (error,) = settings.read(*source).errors
        assert error.startswith(f"{name} is {repr(shown) if value else 'empty'}; it must be ")
        assert allowed in error


@pytest.fixture
def charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with charts and other things; it is the home and the working directory, too."""
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").write_text("name: chart")
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.tgz").write_text("no archive")
    for name, inside in (("chart.tgz", "chart"), ("other.tgz", "folder")):
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            archive.add(tmp_path / inside, inside)
    (tmp_path / "cut.tgz").write_bytes((tmp_path / "chart.tgz").read_bytes()[:60])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "value",
    ["./chart", "~/chart", "~/chart.tgz", "chart.tgz", "oci://registry.example.test/chart", "https://x.test/a.tgz"],
)
def test_charts_that_may_be_used(charts: Path, value: str) -> None:
    found = settings.read({}, {"HELM_CHART": value})
    assert found.errors == []
    assert value == found.HELM_CHART
    assert settings.read({}, {"HELM_CHART": str(charts / "chart")}).errors == []


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("/nowhere/chart", "No such file or directory"),
        ("./nowhere", "No such file or directory"),
        ("../nowhere", "No such file or directory"),
        ("~/nowhere", "No such file or directory"),
        ("~nobody-of-that-name/chart", "home directory"),
        ("nowhere.tgz", "No such file or directory"),
        ("./folder", "there is no Chart.yaml in it"),
        ("other.tgz", "there is no Chart.yaml in it"),
        ("text.tgz", "not a gzip file"),
        ("cut.tgz", "end"),
    ],
)
def test_a_path_that_leads_to_no_chart(charts: Path, value: str, why: str) -> None:
    (error,) = settings.read({}, {"HELM_CHART": value}).errors
    assert error.startswith(f"HELM_CHART is {value!r}; it must be the path of a chart's directory or archive (")
    assert why in error


@pytest.mark.parametrize(
    "value",
    ["ci.cedana.ai/v1", "https://ci.cedana.ai", "https://ci.cedana.ai/", "http://localhost:1324", "http://prop"],
)
def test_urls_as_they_are_in_use_are_accepted(value: str) -> None:
    assert settings.read({}, {"CEDANA_URL": value}).errors == []


@pytest.mark.parametrize(
    ("content", "allowed"),
    [
        ("", "the path of a file that is not empty"),
        ("{[", "no YAML"),
        ("a: 1", "with a cluster in it"),
        ("clusters: []", "with a cluster in it"),
        ("just text", "with a cluster in it"),
    ],
)
def test_a_kubeconfig_that_cannot_be_one(existing: dict[str, str], content: str, allowed: str) -> None:
    Path(existing["KUBECONFIG"]).write_text(content)
    (error,) = settings.read({}, existing).errors
    assert error.startswith("KUBECONFIG is ")
    assert allowed in error


def test_a_kubeconfig_that_is_missing_or_set_to_nothing(existing: dict[str, str], tmp_path: Path) -> None:
    (missing,) = settings.read({}, existing | {"KUBECONFIG": str(tmp_path / "none")}).errors
    assert "No such file" in missing
    (empty,) = settings.read({}, existing | {"KUBECONFIG": ""}).errors
    assert empty.startswith("KUBECONFIG is empty; it must be ")


def test_the_sandbox_does_not_look_at_the_kubeconfig() -> None:
    assert settings.read({}, {"KUBECONFIG": "/nowhere"}).errors == []


def test_several_kubeconfigs_are_taken_as_kubectl_takes_them(existing: dict[str, str], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("kind: Config")
    found = settings.read({}, existing | {"KUBECONFIG": f"{other}:{existing['KUBECONFIG']}"})
    assert found.errors == []
    assert str(found.KUBECONFIG) == f"{other}:{existing['KUBECONFIG']}"


def test_k3s_needs_url_and_token() -> None:
    errors = settings.read({}, {"PROVIDER": "k3s"}).errors
    assert errors == [f"{name} is not set; PROVIDER=k3s needs it." for name in ("CEDANA_URL", "CEDANA_AUTH_TOKEN")]


@pytest.mark.parametrize("name", ["CEDANA_URL", "CEDANA_AUTH_TOKEN"])
@pytest.mark.parametrize("value", [None, ""])
def test_existing_needs_url_and_token(existing: dict[str, str], name: str, value: str | None) -> None:
    environment = {key: text for key, text in existing.items() if key != name} | ({name: value} if value == "" else {})
    (error,) = settings.read({}, environment).errors
    assert error == f"{name} is not set; PROVIDER=existing needs it."


def test_all_that_is_wrong_is_said_at_once() -> None:
    errors = settings.read({"PROVIDER": "x", "KEEP": "y"}, {"POD_TIMEOUT": "z", "CLUSTER_ID": "w"}).errors
    assert [error.split()[0] for error in errors] == ["PROVIDER", "CLUSTER_ID", "KEEP", "POD_TIMEOUT"]


def test_a_token_on_the_command_line_is_refused_and_not_repeated() -> None:
    found = settings.read({"CEDANA_AUTH_TOKEN": "very-secret"}, {})
    (error,) = found.errors
    assert "command line" in error
    assert "very-secret" not in error
    assert found.CEDANA_AUTH_TOKEN is None


def test_a_token_with_a_line_end_inside_is_refused_and_not_repeated() -> None:
    (error,) = settings.read({}, {"CEDANA_AUTH_TOKEN": "half\nother-half"}).errors
    assert "half" not in error


def test_a_token_file_must_be_readable_by_its_owner_only(tmp_path: Path, existing: dict[str, str]) -> None:
    file = tmp_path / "token"
    file.write_text("token-in-a-file\n")
    environment = {key: value for key, value in existing.items() if key != "CEDANA_AUTH_TOKEN"}
    environment["CEDANA_AUTH_TOKEN_FILE"] = str(file)
    file.chmod(0o644)
    (error,) = settings.read({}, environment).errors
    assert "0600" in error
    file.chmod(0o600)
    found = settings.read({}, environment)
    assert found.errors == []
    assert found.CEDANA_AUTH_TOKEN.value == "token-in-a-file"


def test_a_secret_in_the_settings_is_not_shown(existing: dict[str, str]) -> None:
    assert "token-of-the-test" not in str(settings.read({}, existing))


@given(st.dictionaries(st.sampled_from([one.name for one in settings.TABLE]), st.text(max_size=20), max_size=6))
def test_any_text_gives_settings_or_errors_and_never_an_exception(values: dict[str, str]) -> None:
    found = settings.read(values, {})
    wrong = {error.split()[0] for error in found.errors}
    assert wrong <= {setting.name for setting in settings.TABLE} | {"CEDANA_AUTH_TOKEN"}


def test_a_version_means_that_of_the_published_chart() -> None:
    assert f"{settings.PUBLISHED_CHART}:0.7.6" == settings.read({}, {"HELM_CHART": "0.7.6"}).HELM_CHART


def test_a_chart_repository_needs_the_name_of_a_chart() -> None:
    assert settings.read({}, {"HELM_REPO": "https://host/charts", "HELM_CHART": "cedana"}).errors == []
    (error,) = settings.read({}, {"HELM_REPO": "https://host/charts"}).errors
    assert error == "HELM_REPO is set, but HELM_CHART does not name a chart in it."


@pytest.mark.parametrize("value", ["charts", "oci://host/charts", "https://", "https://me:word@host/charts"])
def test_what_is_no_chart_repository(value: str) -> None:
    (error,) = settings.read({}, {"HELM_REPO": value, "HELM_CHART": "cedana"}).errors
    assert error.startswith(f"HELM_REPO is {settings.without_password(value)!r}; it must be ")


def test_options_of_the_chart_are_those_that_are_set() -> None:
    assert settings.read({}, {}).chart_options == {}
    given = {"CEDANA_LOG_LEVEL": "debug", "CEDANA_METRICS_ENABLED": "false", "CEDANA_CHECKPOINT_STREAMS": "4"}
    expected = given | {"CEDANA_METRICS_ENABLED": False}
    assert settings.read({}, given).chart_options == expected


def test_a_digest_wins_over_a_tag() -> None:
    digest = f"sha256:{'a' * 64}"
    given = {"HELPER_TAG": "v1", "HELPER_DIGEST": digest, "CONTROLLER_TAG": "v2"}
    assert settings.read({}, given).chart_options == {"HELPER_DIGEST": digest, "CONTROLLER_TAG": "v2"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("HELPER_DIGEST", "sha256:ab"), ("CEDANA_CHECKPOINT_STREAMS", "-1"), ("CEDANA_METRICS_ENABLED", "maybe")],
)
def test_options_of_the_chart_are_judged(name: str, value: str) -> None:
    (error,) = settings.read({}, {name: value}).errors
    assert error.startswith(f"{name} is {value!r}; it must be ")


def test_credentials_for_s3_go_to_the_chart_only_with_a_checkpoint_directory_there() -> None:
    own = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_REGION": "r"}
    assert settings.read({}, own | {"CEDANA_CHECKPOINT_DIR": "cedana://ci"}).chart_options == {
        "CEDANA_CHECKPOINT_DIR": "cedana://ci"
    }
    found = settings.read({}, own | {"CEDANA_CHECKPOINT_DIR": "s3://bucket"}).chart_options
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_REGION"]) == ("id", "r")
    assert "hush" not in repr(found["AWS_SECRET_ACCESS_KEY"])
    assert found["AWS_SECRET_ACCESS_KEY"].value == "hush"


def test_the_stock_propagator_needs_no_service(existing: dict[str, str]) -> None:
    without = {name: value for name, value in existing.items() if not name.startswith("CEDANA")}
    assert settings.read({}, without).errors != []
    assert settings.read({}, without | {"PROPAGATOR": "stock"}).errors == []


@pytest.mark.parametrize(
    ("name", "value"), [("CEDANA_URL", "ci.cedana.ai/v1"), ("CLUSTER_ID", "6f1c0000-0000-4000-8000-000000000000")]
)
def test_a_service_beside_the_stock_propagator_is_refused(name: str, value: str) -> None:
    (error,) = settings.read({}, {"PROPAGATOR": "stock", name: value}).errors
    assert error.startswith(f"{name} is set") and "PROPAGATOR=stock" in error


def test_the_agents_look_where_the_cluster_keeps_its_images() -> None:
    found = settings.read({}, {"PROPAGATOR": "stock", "KUBELET_ROOT": "/data/kubelet"})
    assert found.agent_values("v1.33.13")["checkpointDir"] == "/data/kubelet/checkpoints"
    assert found.agent_values("v1.33.13")["contentDir"].startswith("/var/lib/containerd/")
    assert found.agent_values("v1.34.2+k3s1")["contentDir"].startswith("/var/lib/rancher/k3s/agent/containerd/")
    assert found.agent_values("v1.34.2+rke2r1")["contentDir"].startswith("/var/lib/rancher/rke2/agent/containerd/")
    own = settings.read({}, {"CONTAINERD_ROOT": "/data/containerd"})
    assert own.agent_values("v1.34.2+k3s1")["contentDir"].startswith("/data/containerd/")
    assert found.restored_may_differ and not own.restored_may_differ


def test_a_file_that_results_go_to_must_be_writable(tmp_path: Path) -> None:
    found = settings.read({"HISTORY_FILE": str(tmp_path / "new")}, {}).HISTORY_FILE
    assert found == tmp_path / "new"
    for wrong in (tmp_path, tmp_path / "none" / "file"):
        (error,) = settings.read({"HISTORY_FILE": str(wrong)}, {}).errors
        assert error.startswith(f"HISTORY_FILE is '{wrong}'; it must be the path of a file that can be written")


def test_a_pushgateway_with_a_password_is_a_secret_of_the_environment() -> None:
    given = {"PUSHGATEWAY_URL": "https://me:n0t-to-be-seen@push.example:9091/x"}
    found = settings.read({}, given)
    assert found.errors == [] and "n0t-to-be-seen" not in repr(found)
    assert found.PUSHGATEWAY_URL.value == given["PUSHGATEWAY_URL"]
    assert settings.read({}, {"PUSHGATEWAY_URL": "http://push.example"}).PUSHGATEWAY_URL == "http://push.example"
    (error,) = settings.read(given, {}).errors
    assert "on the command line" in error and "n0t-to-be-seen" not in error


@pytest.mark.parametrize("wrong", ["ftp://me:n0t-to-be-seen@x", "http://me@x", "http://me:n0t-to-be-seen@", "x"])
def test_a_wrong_pushgateway_is_told_without_its_password(wrong: str) -> None:
    (error,) = settings.read({}, {"PUSHGATEWAY_URL": wrong}).errors
    assert error.startswith("PUSHGATEWAY_URL is '") and "n0t-to-be-seen" not in error
