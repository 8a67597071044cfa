"""The real Helm engine: install, upgrade, rollback and uninstall, each waited for."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("helm_python")

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: demo}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: demo}}
  template:
    metadata: {labels: {app: demo}}
    spec:
      containers: [{name: c, image: "nginx:1.27"}]
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: demo}
spec: {selector: {app: demo}, ports: [{port: 80}]}
"""
HOOK = """
apiVersion: v1
kind: ConfigMap
metadata: {name: hook, annotations: {"helm.sh/hook": "pre-install,pre-upgrade"}}
data: {a: b}
"""
SCRIPT = """
import sys
import helm_python as helm
kubeconfig, namespace, chart = sys.argv[1:]
with helm.Config(kubeconfig_path=kubeconfig, namespace=namespace) as config:
    def said(step):
        print(step, [(row.get("name"), row.get("revision"), row.get("status")) for row in rows(config)])
    def rows(config):
        return [row if isinstance(row, dict) else vars(row) for row in config.list()]
    order = dict(chart=chart, name="demo", timeout=60, wait="watcher")
    config.install(values={"replicas": 1}, **order)
    said("install")
    config.upgrade(values={"replicas": 3}, **order)
    said("upgrade")
    config.rollback("demo", version=1, timeout=60, wait="watcher")
    said("rollback")
    config.uninstall("demo", timeout=60, wait="watcher")
    said("uninstall")
"""


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: demo\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text("replicas: 1\n")
    for name, text in (("deployment", DEPLOYMENT), ("service", SERVICE), ("hook", HOOK)):
        (folder / "templates" / f"{name}.yaml").write_text(textwrap.dedent(text))
    return folder


def test_a_release_lives(sandbox, api_client, core, namespace, chart) -> None:
    command = [sys.executable, "-c", SCRIPT, sandbox["kubeconfig"], namespace, str(chart)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line.split()[0] for line in done.stdout.splitlines()]
    assert steps == ["install", "upgrade", "rollback", "uninstall"], done.stdout
    left = [item.metadata.name for item in core.list_namespaced_service(namespace).items]
    assert left == []
    assert [s for s in core.list_namespaced_secret(namespace).items if s.type == "helm.sh/release.v1"] == []
