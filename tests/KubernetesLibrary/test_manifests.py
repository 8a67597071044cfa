"""Manifests are judged before anything is created, and adapted only where they are asked to be."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.failures import BadInput
from KubernetesLibrary.manifests import Manifest, Overrides, adapt, load, parse

POD = """
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web, tier: front}
spec:
  containers:
    - {name: web, image: nginx}
    - {name: side, image: alpine}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
BOTH = f"{POD}---{SERVICE}"
WORKLOADS = sorted((Path(__file__).parents[2] / "resources" / "workloads").glob("*.yaml"))


def pod_of(manifest: Manifest) -> dict[str, object]:
    return manifest.pod()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\n \n", "the given text is empty; it must be at least one Kubernetes object."),
        ("---\n---\n# nothing\n", "is empty; it must be at least one Kubernetes object."),
        ("a: [1\nb: 2\n", "the manifest is 'the given text'; it must be valid YAML (line "),
        ("\tx\n", "valid YAML (line 1: found character '\\t' that cannot start any token)."),
        ("!!python/object/apply:os.system ['true']\n", "valid YAML (line 1: could not determine a constructor"),
        ("just words\n", "document 1 of the given text is 'str'; it must be a Kubernetes object"),
        ("- a\n- b\n", "document 1 of the given text is 'list'; it must be a Kubernetes object"),
        ("kind: Pod\nmetadata: {name: x}\n", "apiVersion in document 1 of the given text is empty; it must be given"),
        ("apiVersion: v1\nmetadata: {name: x}\n", "kind in document 1 of the given text is empty"),
        (f"{POD}---\napiVersion: v1\nkind: Service\n", "metadata in document 2 of the given text is empty"),
        ("apiVersion: v1\nkind: Service\nmetadata: {}\n", "metadata.name in document 1 of the given text is empty"),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: 5}\n",
            "metadata.name in document 1 of the given text is '5'",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n",
            "spec.containers in document 1 of the given text is empty",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{image: y}]}\n",
            "it must be a list of containers with names.",
        ),
    ],
)
def test_a_text_that_is_no_manifest_gives_one_clear_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadInput) as failure:
        load(text)
    first, cause = str(failure.value).split("\n")
    assert sentence in first
    assert cause == "Cause: bad-manifest (environment)"


@pytest.mark.parametrize("source", ["no/such.yaml", "", " ", "/", "kind: Pod"])
def test_a_file_that_is_not_there_is_told_by_its_path(source: str) -> None:
    with pytest.raises(BadInput, match="it must be the path of an existing file, or YAML text") as failure:
        load(source)
    assert failure.value.cause.name == "bad-manifest"
    assert not source.strip() or repr(source) in str(failure.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "image.yaml").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(BadInput, match="a readable text file"):
        load(tmp_path / "image.yaml")


def test_problems_in_a_file_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(BadInput, match=r"empty\.yaml is empty; it must be at least one"):
        load(tmp_path / "empty.yaml")


def test_all_documents_are_read_and_empty_ones_passed_over(tmp_path: Path) -> None:
    (tmp_path / "both.yaml").write_text(f"---\n{BOTH}---\n")
    assert [document["kind"] for document in load(tmp_path / "both.yaml").documents] == ["Pod", "Service"]


def test_a_name_may_be_left_to_be_drawn() -> None:
    assert parse("apiVersion: v1\nkind: Service\nmetadata: {generateName: web-}\n", "x").documents


@pytest.mark.parametrize(("text", "number", "kinds"), [(SERVICE, 0, "Service"), (f"{POD}---{POD}", 2, "Pod, Pod")])
def test_what_needs_one_pod_says_how_many_there_are(text: str, number: int, kinds: str) -> None:
    with pytest.raises(BadInput, match=rf"is '{number}'; it must be 1 \(it holds {kinds}\)"):
        adapt(parse(text, "x"), Overrides(pod_name="other"))


def test_renaming_the_pod_takes_its_own_label_and_container_along_and_nothing_else() -> None:
    adapted = adapt(parse(BOTH, "x"), Overrides(pod_name="other"))
    pod, service = adapted.documents
    assert pod["metadata"] == {"name": "other", "labels": {"app": "other", "tier": "front"}}
    assert [container["name"] for container in pod["spec"]["containers"]] == ["other", "side"]
    assert service == yaml.safe_load(SERVICE)


def test_renaming_leaves_labels_and_containers_of_other_names() -> None:
    text = POD.replace("app: web", "app: shop").replace("{name: web, image", "{name: main, image")
    pod = adapt(parse(text, "x"), Overrides(pod_name="other")).pod()
    assert pod["metadata"]["labels"]["app"] == "shop"
    assert pod["spec"]["containers"][0]["name"] == "main"


def test_services_follow_when_asked() -> None:
    _, service = adapt(parse(BOTH, "x"), Overrides(pod_name="other", rename_services=True)).documents
    assert service["metadata"]["name"] == "other"
    assert service["spec"]["selector"] == {"app": "other"}


def test_a_drawn_name_becomes_the_given_one() -> None:
    text = POD.replace("name: web\n", "generateName: web-\n")
    assert adapt(parse(text, "x"), Overrides(pod_name="other")).pod()["metadata"]["name"] == "other"
    assert "generateName" not in adapt(parse(text, "x"), Overrides(pod_name="other")).pod()["metadata"]


def test_the_image_of_the_first_or_of_a_named_container() -> None:
    def images(overrides: Overrides) -> list[str]:
        return [container["image"] for container in adapt(parse(POD, "x"), overrides).pod()["spec"]["containers"]]

    assert images(Overrides(image="redis")) == ["redis", "alpine"]
    assert images(Overrides(image="redis", container="side")) == ["nginx", "redis"]
    with pytest.raises(BadInput, match="container is 'third'; it must be one of the pod's in x: web, side"):
        images(Overrides(image="redis", container="third"))


def test_labels_reach_every_object_and_replace_none_but_their_own() -> None:
    pod, service = adapt(parse(BOTH, "x"), Overrides(labels={"team": "blue"})).documents
    assert pod["metadata"]["labels"] == {"app": "web", "tier": "front", "team": "blue"}
    assert service["metadata"]["labels"] == {"team": "blue"}


def test_adapting_changes_a_copy() -> None:
    manifest = parse(BOTH, "x")
    adapt(manifest, Overrides(pod_name="other", image="redis", labels={"a": "b"}, rename_services=True))
    assert manifest == parse(BOTH, "x")


def test_an_owner_is_the_owner_of_every_object() -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine", "uid": "u1"}}
    for document in adapt(parse(BOTH, "x"), Overrides(owner=owner)).documents:
        (reference,) = document["metadata"]["ownerReferences"]
        assert (reference["kind"], reference["name"], reference["uid"]) == ("ConfigMap", "mine", "u1")
        assert reference["controller"]
        assert reference["blockOwnerDeletion"]


@pytest.mark.parametrize("path", WORKLOADS, ids=lambda path: path.name)
def test_the_workloads_of_the_suites_can_be_used_under_another_name(path: Path) -> None:
    if not any(document["kind"] == "Pod" for document in load(path).documents):
        pytest.skip("it has no pod of its own")
    adapted = adapt(load(path), Overrides(pod_name="other", image="mirror/image"))
    assert adapted.pod()["metadata"]["labels"]["app"] == "other"
