"""The chart of the node agents: valid Kubernetes, the least rights, and the code as it is in this repository."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import pytest
from tests.sandbox.stock.conftest import CHART, rendered

from sandbox.stock.agents import COMMAND, WATCHDOG

Object = dict[str, Any]
ID = "6f1c0000-0000-4000-8000-000000000000"


def objects(**agent: Any) -> dict[tuple[str, str], Object]:
    """What it renders, by kind and name."""
    return {(one["kind"], one["metadata"]["name"]): one for one in rendered(ID, **agent)}


def pod(**agent: Any) -> Object:
    """The spec of the agents' pods."""
    found: Object = objects(**agent)["DaemonSet", "node-agent"]["spec"]["template"]["spec"]
    return found


def test_it_is_valid() -> None:
    report = helm_python.lint(str(CHART), {"config": {"clusterId": ID}}, strict=True)
    assert report["errors"] == []
    for one in objects().values():
        kubernetes_validate.validate(one, "1.33", strict=True)


def test_without_a_cluster_id_it_says_what_is_missing() -> None:
    with helm_python.Chart.load(str(CHART)) as chart, pytest.raises(Exception, match=r"config\.clusterId"):
        chart.render({}, name="cedana", namespace="cedana-system")


def test_an_agent_may_create_checkpoints_and_nothing_else() -> None:
    (rule,) = objects()["ClusterRole", "cedana-system-node-agent"]["rules"]
    assert rule == {"apiGroups": [""], "resources": ["nodes/checkpoint"], "verbs": ["create"]}
    context = pod()["containers"][0]["securityContext"]
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"] and "privileged" not in context


def test_who_holds_containers_still_is_privileged_and_has_a_watchdog() -> None:
    spec = pod(consistent=True)
    agent, watchdog = spec["containers"]
    assert agent["securityContext"]["privileged"] and watchdog["securityContext"]["privileged"]
    assert watchdog["command"] == WATCHDOG
    for each in (agent, watchdog):
        assert {"code", "checkpoints", "cgroup"} <= {mount["name"] for mount in each["volumeMounts"]}
    for one in objects(consistent=True).values():
        kubernetes_validate.validate(one, "1.33", strict=True)


def test_where_selinux_enforces_an_agent_may_enter_the_kubelets_folders() -> None:
    assert pod()["containers"][0]["securityContext"]["seLinuxOptions"] == {"type": "spc_t"}


def test_an_image_may_need_a_secret_and_a_dump_more_time() -> None:
    spec = pod(image={"pullSecrets": ["of-the-registry"]}, dumpTimeout=900)
    assert spec["imagePullSecrets"] == [{"name": "of-the-registry"}]
    assert {"name": "DUMP_TIMEOUT", "value": "900"} in spec["containers"][0]["env"]
    assert objects(dumpTimeout=900)["ConfigMap", "cedana-config"]["data"]["dump-timeout"] == "900"
    assert "imagePullSecrets" not in pod()


def test_the_code_in_it_is_the_code_here() -> None:
    own = {path.name: path.read_text() for path in (CHART / "node_agent").glob("*.py")}
    assert objects()["ConfigMap", "node-agent-code"]["data"] == own
    assert sum(map(len, own.values())) < 500_000, "a ConfigMap holds 1 MiB"


def test_the_agent_needs_no_library() -> None:
    for path in (CHART / "node_agent").glob("*.py"):
        names = [line.split()[1].split(".")[0] for line in path.read_text().splitlines()
                 if line.startswith(("import ", "from "))]  # fmt: skip
        assert [name for name in names if name and name not in sys.stdlib_module_names] == [], path.name


def test_a_path_may_differ_from_node_to_node() -> None:
    spec = pod(checkpointDir="/srv/nodes/$(NODE_NAME)/kubelet/checkpoints", contentDir="")
    (mount,) = [one for one in spec["containers"][0]["volumeMounts"] if one["name"] == "checkpoints"]
    (volume,) = [one for one in spec["volumes"] if one["name"] == "checkpoints"]
    assert mount["subPathExpr"] == "$(NODE_NAME)/kubelet/checkpoints"
    assert volume["hostPath"]["path"] == "/srv/nodes"
    assert "content" not in {one["name"] for one in spec["volumes"]}
    (half,) = [v for v in pod(checkpointDir="/srv/node-$(NODE_NAME)/c")["volumes"] if v["name"] == "checkpoints"]
    assert half["hostPath"]["path"] == "/srv"


def test_a_path_that_is_the_same_everywhere_is_mounted_itself() -> None:
    (mount,) = [one for one in pod()["containers"][0]["volumeMounts"] if one["name"] == "checkpoints"]
    assert "subPathExpr" not in mount
    (volume,) = [one for one in pod()["volumes"] if one["name"] == "checkpoints"]
    assert volume["hostPath"] == {"path": "/var/lib/kubelet/checkpoints", "type": "DirectoryOrCreate"}


def test_what_the_sandbox_runs_is_what_the_chart_runs() -> None:
    assert pod()["containers"][0]["command"] == COMMAND
    assert Path(CHART, "node_agent", "__main__.py").is_file()
