"""Two clusters of one sandbox process share its propagator, over HTTP and with the real chart's objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import helm_python
import pytest
import requests
import yaml
from kubernetes import client, config, utils
from tests.sandbox.conftest import RunningSandbox, start_sandbox, stop_sandbox, wait_for

WITNESS = Path(__file__).parents[3] / "resources" / "workloads" / "witness.yaml"
INSTALL = "cedana-system"
ARGUMENTS = ("--clusters", "2", "--nodes", "1", "--quirk", "quoted-ids", "--latency", "checkpoint=0.05")


@dataclass
class Shared:
    """The sandbox, and a client for each of its clusters."""

    running: RunningSandbox
    cores: tuple[client.CoreV1Api, ...]

    def ask(self, method: str, path: str, **body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.running.token}"}
        url = self.running.propagator_url + path
        return requests.request(method, url, json=body or None, headers=headers, timeout=60)

    def id_of(self, path: str, **body: Any) -> str:
        answer = self.ask("POST", path, **body)
        assert answer.status_code == 200, answer.text
        return str(answer.json())

    def ended(self, action: str) -> str:
        def look() -> str:
            status = str(self.ask("GET", f"/v2/checkpoint/status/{action}").json()["status"])
            return status if status in ("ready", "error") else ""

        return str(wait_for(look, f"the end of action {action}"))

    def set(self, **settings: Any) -> requests.Response:
        return requests.put(f"{self.running.admin_url}/propagator", json=settings, timeout=60)

    def log(self, number: int, pod: str) -> list[str]:
        return str(self.cores[number].read_namespaced_pod_log(pod, "default")).splitlines()


@pytest.fixture(scope="module")
def shared() -> Iterator[Shared]:
    running = start_sandbox(*ARGUMENTS)
    clients = [config.new_client_from_config(each["kubeconfig"]) for each in running.clusters]
    made = Shared(running, tuple(client.CoreV1Api(each) for each in clients))
    try:
        for each, cluster in zip(clients, running.clusters, strict=True):
            install(made, each, made.id_of("/v2/cluster", cluster_name=cluster["name"]))
        yield made
    finally:
        stop_sandbox(running)
    assert not running.kubeconfig.parent.exists()


def install(shared: Shared, api: client.ApiClient, cluster_id: str) -> None:
    """The chart's objects without its hooks, and a wait for its pods."""
    values = {"authToken": shared.running.token, "url": shared.running.propagator_url, "clusterId": f'"{cluster_id}"'}
    with helm_python.Chart.load(str(shared.running.chart)) as chart:
        files = chart.render({"config": values}, name="cedana", namespace=INSTALL)
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": INSTALL}})
    for name, text in files.items():
        for each in yaml.safe_load_all("" if name.endswith("NOTES.txt") else text):
            if each and "helm.sh/hook" not in each["metadata"].get("annotations", {}):
                utils.create_from_dict(api, each, namespace=INSTALL)

    def all_ready() -> bool:
        pods = core.list_namespaced_pod(INSTALL).items
        ready = [
            pod for pod in pods if any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or [])
        ]
        return len(ready) == len(pods) == 3

    wait_for(all_ready, "Cedana's pods")


def witness(shared: Shared, name: str) -> str:
    """The UID of a witness in the first cluster that has printed a step."""
    manifest = yaml.safe_load(WITNESS.read_text())
    manifest["metadata"]["name"] = name
    pod = shared.cores[0].create_namespaced_pod("default", manifest)
    wait_for(lambda: phase(shared, 0, name) == "Running" and shared.log(0, name), "the witness's first step")
    return str(pod.metadata.uid)


def phase(shared: Shared, number: int, name: str) -> str:
    pods = shared.cores[number].list_namespaced_pod("default", field_selector=f"metadata.name={name}").items
    return str(pods[0].status.phase) if pods else ""


def test_the_line_names_every_cluster(shared: Shared):
    first, second = shared.running.clusters
    assert Path(first["kubeconfig"]) == shared.running.kubeconfig
    assert (first["name"], second["name"]) == ("sandbox", "sandbox-2")
    assert first["server"] != second["server"]
    assert Path(second["kubeconfig"]).stat().st_mode & 0o777 == 0o600


def test_a_checkpoint_of_one_cluster_is_restored_in_the_other(shared: Shared):
    action = shared.id_of("/v2/checkpoint/pod", pod_id=witness(shared, "traveller"))
    assert shared.ended(action) == "ready"
    source = shared.log(0, "traveller")
    clusters = {row["name"]: row["id"] for row in shared.ask("GET", "/v2/cluster").json()}
    restore = shared.id_of("/v2/restore/pod", action_id=action, reason="manual", cluster_id=clusters["sandbox-2"])
    assert shared.ended(restore) == "ready"
    wait_for(lambda: phase(shared, 1, "traveller-restored") == "Running", "the restored pod")
    wait_for(lambda: len(shared.log(1, "traveller-restored")) > len(source), "steps of its own")
    own = shared.log(1, "traveller-restored")
    assert own[0] == source[0]
    assert {line.split()[1] for line in own} == {source[0].split()[1]}
    assert phase(shared, 0, "traveller-restored") == ""
    stored = requests.get(f"{shared.running.admin_url}/propagator/stored", timeout=60).json()
    assert stored[action] > 0
    for row in shared.ask("GET", "/v2/actions").json():
        if row["action_id"] == action:
            assert shared.ask("PATCH", f"/v2/checkpoints/deprecate/{row['checkpoint_id']}").status_code == 200
    assert action not in requests.get(f"{shared.running.admin_url}/propagator/stored", timeout=60).json()


def test_a_heartbeat_policy_makes_checkpoints_that_can_be_restored(shared: Shared):
    uid = witness(shared, "beaten")
    clusters = {row["name"]: row["id"] for row in shared.ask("GET", "/v2/cluster").json()}
    body = {"cluster_id": clusters["sandbox"], "heartbeat_time": 1, "resource_ids": [uid]}
    policy = shared.id_of("/v2/policy/create", **body)

    def beats() -> list[str]:
        rows = shared.ask("GET", "/v2/actions").json()
        return [row["action_id"] for row in rows if (row["reason"], row["status"]) == ("heartbeat", "ready")]

    found = wait_for(lambda: beats() if len(beats()) > 1 else [], "two heartbeats")
    assert shared.ask("DELETE", "/v2/policy/delete", id=policy).status_code == 200
    assert shared.ended(shared.id_of("/v2/restore/pod", action_id=found[0], reason="manual")) == "ready"
    wait_for(lambda: phase(shared, 0, "beaten-restored") == "Running", "the restored pod")


def test_era_and_quirks_change_while_it_runs(shared: Shared):
    try:
        changed = shared.set(era="next", quirks={"quoted-ids": False}, helper={"tcp-established": False})
        assert (changed.status_code, changed.json()["era"]) == (200, "next")
        assert set(shared.ask("GET", "/v2/checkpoints").json()) == {"checkpoints", "total_count"}
        assert '"' not in shared.ask("GET", "/v2/user").text
        for wrong in ({"era": "x"}, {"quirks": {"x": 1}}, {"helper": {"x": 1}}):
            refused = shared.set(**wrong)
            assert refused.status_code == 400
            assert "x" in refused.json()["message"]
        assert requests.put(f"{shared.running.admin_url}/propagator", data=b"{", timeout=60).status_code == 400
        settings = requests.get(f"{shared.running.admin_url}/propagator", timeout=60).json()
        assert requests.get(f"{shared.running.admin_url}/facts", timeout=60).json()["era"] == "next"
        assert (settings["era"], settings["helper"]["tcp-established"]) == ("next", False)
    finally:
        shared.set(era="jan26", quirks={"quoted-ids": True}, helper={"tcp-established": True})


@pytest.mark.parametrize(
    ("argument", "word"),
    [("--quirk=magic", "quoted-ids"), ("--quirk=paging=x", "true, false or era"), ("--helper=x=on", "tcp-established"),
     ("--clusters=0", "1 to 9"), ("--era=2024", "seed")],
)  # fmt: skip
def test_a_wrong_option_ends_the_start_with_what_is_allowed(
    argument: str, word: str, capfd: pytest.CaptureFixture[str]
):
    with pytest.raises(AssertionError, match="ended with status 2"):
        start_sandbox(argument)
    assert word in capfd.readouterr().err
