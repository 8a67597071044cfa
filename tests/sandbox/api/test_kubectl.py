"""Real kubectl: what people type, and what they read."""

from __future__ import annotations

import json
from typing import Any

import pytest

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: c, image: "nginx:1.27", ports: [{containerPort: 80}]}]
"""
DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.kubectl.test}
spec:
  group: kubectl.test
  scope: Namespaced
  names: {plural: widgets, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, required: [size], properties: {size: {type: integer, minimum: 1}}}
"""
WIDGET = "apiVersion: kubectl.test/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: %s}\n"


@pytest.fixture
def run(kubectl: Any, namespace: str) -> Any:
    def inside(command: str, **more: Any) -> Any:
        return kubectl("-n", namespace, *command.split(), **more)

    return inside


def test_cluster_says_what_it_is(run) -> None:
    assert "v1.33.13+emulated" in run("version")
    assert "is running at https://127.0.0.1" in run("cluster-info")
    assert run("get --raw /readyz") == "ok"
    assert "deployments" in run("api-resources --api-group=apps")
    assert "apps/v1" in run("api-versions")
    assert "Ready" in run("get nodes")
    assert "containerd://" in run("get nodes -o wide")
    assert "e2e.cedana.ai/emulated=true" in run("get nodes --show-labels")
    assert "Capacity:" in run("describe node node-1")
    assert "kubernetes-admin" in run("auth whoami")
    assert "kube-system" in run("get ns")


def test_objects_of_every_day(run) -> None:
    assert "created" in run("create configmap c --from-literal=a=b")
    assert "created" in run("create secret generic s --from-literal=p=q")
    assert json.loads(run("get secret s -o json"))["data"] == {"p": "cQ=="}
    assert run("get cm c -o jsonpath={.data.a}") == "b"
    assert "a:" in run("describe cm c")
    assert "labeled" in run("label cm c x=y")
    assert "c " in run("get cm -l x=y")
    assert "kube-root-ca.crt" in run("get cm --sort-by=.metadata.name")
    assert "LABEL" in run("get cm -L label")
    assert "annotated" in run("annotate cm c q=r")
    assert "patched" in run('patch cm c --type=merge -p {"data":{"a":"c"}}')
    assert "patched" in run('patch cm c --type=json -p [{"op":"remove","path":"/data/a"}]')
    assert "kind: ConfigMap" in run("get cm c -o yaml")
    assert run("get cm c -o name") == "configmap/c\n"
    assert run("get cm c -o custom-columns=N:.metadata.name --no-headers") == "c\n"
    assert "deleted" in run("delete cm c")
    assert 'configmaps "c" not found' in run("get cm c", check=False).stderr
    assert "created" in run("create sa robot")
    assert run("create token robot").count(".") == 2
    assert "No resources found" in run("get jobs", check=False).stderr


def test_deployment_from_apply_to_delete(run) -> None:
    assert "created" in run("apply -f -", stdin=DEPLOYMENT)
    assert "successfully rolled out" in run("rollout status deploy/web --timeout=60s")
    assert "2/2" in run("get deploy web")
    assert run("get deploy web -o wide").split()[-1] == "app=web"
    assert "unchanged" in run("apply -f -", stdin=DEPLOYMENT)
    changed = DEPLOYMENT.replace("replicas: 2", "replicas: 1")
    assert "+  replicas: 1" in run("diff -f -", stdin=changed, check=False).stdout
    assert "configured" in run("apply -f -", stdin=changed)
    assert "scaled" in run("scale deploy/web --replicas=3")
    assert "image updated" in run("set image deploy/web c=nginx:1.28")
    assert "env updated" in run("set env deploy/web A=1")
    assert "successfully rolled out" in run("rollout status deploy/web --timeout=60s")
    assert "REVISION" in run("rollout history deploy/web")
    assert "rolled back" in run("rollout undo deploy/web")
    assert "restarted" in run("rollout restart deploy/web")
    assert "paused" in run("rollout pause deploy/web")
    assert "resumed" in run("rollout resume deploy/web")
    assert "NewReplicaSet:" in run("describe deploy web")
    assert "exposed" in run("expose deploy web --port=80")
    assert "80/TCP" in run("get svc web")
    assert "Selector:" in run("describe svc web")
    assert "condition met" in run("wait --for=condition=Available deploy/web --timeout=60s")
    assert "deleted" in run("delete deploy,svc web")
    run("wait --for=delete pod -l app=web --timeout=60s")


def test_pod_and_its_events(run) -> None:
    assert "created" in run("run p --image=nginx:1.27 --labels=app=p")
    assert "condition met" in run("wait --for=condition=Ready pod/p --timeout=60s")
    assert "1/1" in run("get pod p")
    description = run("describe pod p")
    assert "Successfully assigned" in description
    assert "kube-api-access-" in description
    assert "Started" in run("get events --field-selector involvedObject.name=p")
    run("logs p")
    assert "deleted" in run("delete pod p --grace-period=0 --force", check=False).stdout


def test_server_side_apply(run) -> None:
    assert "serverside-applied" in run("apply --server-side -f -", stdin=DEPLOYMENT)
    other = DEPLOYMENT.replace("replicas: 2", "replicas: 5")
    refused = run("apply --server-side --field-manager=other -f -", stdin=other, check=False)
    assert "Apply failed with 1 conflict" in refused.stderr
    assert ".spec.replicas" in refused.stderr
    assert "serverside-applied" in run("apply --server-side --field-manager=other --force-conflicts -f -", stdin=other)
    assert "manager: other" in run("get deploy web -o yaml --show-managed-fields")


def test_refusals_read_like_a_clusters(run) -> None:
    wrong = DEPLOYMENT.replace("replicas: 2", "replicaz: 2")
    assert 'unknown field "spec.replicaz"' in run("apply -f -", stdin=wrong, check=False).stderr
    wrong = DEPLOYMENT.replace("matchLabels: {app: web}", "matchLabels: {app: other}")
    assert "`selector` does not match template `labels`" in run("apply -f -", stdin=wrong, check=False).stderr
    assert "already exists" in run("create sa default", check=False).stderr
    assert "Invalid value" in run("create cm Bad_Name", check=False).stderr


def test_explain(run) -> None:
    assert "Container image name" in run("explain pod.spec.containers.image")
    assert "FIELDS:" in run("explain deployment.spec.strategy")


def test_rights(run, namespace) -> None:
    user = f"--as=system:serviceaccount:{namespace}:default"
    assert run("auth can-i create pods") == "yes\n"
    assert run(f"auth can-i list pods {user}", check=False).stdout == "no\n"
    run("create role r --verb=get,list --resource=pods")
    run(f"create rolebinding b --role=r --serviceaccount={namespace}:default")
    assert run(f"auth can-i list pods {user}") == "yes\n"
    assert "cannot list resource" in run(f"get secrets {user}", check=False).stderr
    assert "pods" in run(f"auth can-i --list {user}")


def test_quota(run) -> None:
    run("create quota q --hard=configmaps=2")
    assert "created" in run("create cm one")
    refused = run("create cm two", check=False).stderr
    assert "exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2" in refused
    assert "configmaps  2     2" in run("describe quota q")


def test_eviction_respects_budgets(run) -> None:
    run("apply -f -", stdin=DEPLOYMENT)
    run("rollout status deploy/web --timeout=60s")
    run("create pdb guard --selector=app=web --min-available=2")
    run("wait --for=jsonpath={.status.currentHealthy}=2 pdb/guard --timeout=60s")
    assert "0 " in run("get pdb guard")
    pod = run("get pods -l app=web -o name").split()[0].partition("/")[2]
    place = run(f"get pod {pod} -o jsonpath={{.metadata.namespace}}")
    eviction = json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}})
    path = f"/api/v1/namespaces/{place}/pods/{pod}/eviction"
    refused = run(f"create --raw {path} -f -", stdin=eviction, check=False)
    assert "Cannot evict pod as it would violate the pod's disruption budget" in refused.stderr
    run('patch pdb guard --type=merge -p {"spec":{"minAvailable":1}}')
    run("wait --for=jsonpath={.status.disruptionsAllowed}=1 pdb/guard --timeout=60s")
    assert "Success" in run(f"create --raw {path} -f -", stdin=eviction)


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (
            "{apiVersion: v1, kind: Namespace, metadata: {name: held, labels: "
            "{pod-security.kubernetes.io/enforce: restricted}}}",
            "keeps the Pod Security level 'restricted' but does not enforce it",
        ),
        (
            DEFINITION.replace("minimum: 1}", "minimum: 1, x-kubernetes-validations: [{rule: self < 9}]}"),
            "keeps `x-kubernetes-validations` in schemas but does not check it",
        ),
        (
            "{apiVersion: batch/v1, kind: CronJob, metadata: {name: c}, spec: {schedule: '* * * * *', jobTemplate: "
            "{spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox}]}}}}}}",
            "keeps CronJobs but does not run them",
        ),
    ],
)
def test_what_is_kept_without_effect_is_said(run, manifest: str, words: str) -> None:
    said = run("create --dry-run=server -f -", stdin=manifest, check=False)
    assert (said.returncode, words in said.stderr) == (0, True), said.stderr


def test_custom_kind(run) -> None:
    run("apply -f -", stdin=DEFINITION)
    try:
        run("wait --for=condition=Established crd/widgets.kubectl.test --timeout=60s")
        assert "created" in run("apply -f -", stdin=WIDGET % 3)
        assert run("get wd w").split() == ["NAME", "SIZE", "w", "3"]
        assert "should be greater than or equal to 1" in run("apply -f -", stdin=WIDGET % 0, check=False).stderr
        assert "size" in run("explain widget.spec")
    finally:
        run("delete crd widgets.kubectl.test")
    assert "could not find the requested resource" in run("get widgets", check=False).stderr


def test_node_care(run) -> None:
    assert "cordoned" in run("cordon node-2")
    assert "SchedulingDisabled" in run("get node node-2")
    assert "uncordoned" in run("uncordon node-2")
    assert "tainted" in run("taint node node-2 a=b:NoSchedule")
    assert "untainted" in run("taint node node-2 a-")
