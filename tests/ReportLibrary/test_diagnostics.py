"""Diagnostics from an API that answers, refuses, hangs, or is not there."""

import json
import threading
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from tests.harness.fake_api import Server

from harness.kube import Cluster
from harness.secrets import SECRETS
from harness.sources import Tale
from harness.waiting import Done, Pending, wait_until
from ReportLibrary import describe, diagnostics, links
from ReportLibrary.diagnostics import Budget, Collector, Found, TimeUp, fresh_directory, safe_name

TOKEN = "t0ken-of-this-test-only"
POD = {
    "metadata": {"name": "test-nginx", "uid": "u-1", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "spec": {
        "nodeName": "node-1",
        "runtimeClassName": "cedana",
        "containers": [
            {
                "name": "nginx",
                "image": "nginx:1.29",
                "env": [
                    {"name": "PASSWORD", "value": "hunter2"},
                    {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "cedana-secrets", "key": "token"}}},
                    {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                ],
                "resources": {"limits": {"memory": "128Mi", "cpu": "200m"}},
            },
            {"name": "sidecar", "image": "busybox"},
        ],
    },
    "status": {
        "phase": "Pending",
        "conditions": [
            {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "containers: [nginx]"}
        ],
        "containerStatuses": [
            {
                "name": "nginx",
                "ready": False,
                "restartCount": 2,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-01-01T00:00:09Z"}},
            },
            {"name": "sidecar", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": "x"}}},
        ],
    },
}
EVENTS = [
    {
        "metadata": {},
        "type": "Warning",
        "reason": "BackOff",
        "message": "Back-off\nrestarting",
        "involvedObject": {"kind": "Pod", "name": "test-nginx"},
        "lastTimestamp": "2026-01-01T00:00:12Z",
        "count": 3,
    },
    {
        "metadata": {},
        "type": "Normal",
        "reason": "Scheduled",
        "message": f"with {TOKEN}",
        "involvedObject": {"kind": "Pod", "name": "test-nginx"},
        "eventTime": "2026-01-01T00:00:01.123456Z",
        "lastTimestamp": None,
    },
]
NODE = {
    "metadata": {"name": "node-1", "labels": {"e2e.cedana.ai/emulated": "true", "kubernetes.io/os": "linux"}},
    "spec": {"taints": [{"key": "full", "effect": "NoSchedule"}]},
    "status": {
        "nodeInfo": {"kubeletVersion": "v1.33.13", "containerRuntimeVersion": "containerd://2.1"},
        "conditions": [{"type": "DiskPressure", "status": "True", "reason": "Full", "message": "no space"}],
    },
}


class Api:
    """Answers by path; a path in `refused` is forbidden, one in `hanging` is never answered."""

    def __init__(self):
        self.asked, self.refused, self.hanging = [], set(), set()
        self.over = threading.Event()
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                api.answer(self)

            def log_message(self, *words):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)

    def answer(self, request):
        path, query = urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)
        self.asked.append((path, query))
        if path in self.hanging:
            self.over.wait(30)
            return
        code, body = (403, {"kind": "Status", "message": "not for you"}) if path in self.refused else self.find(path)
        if path.endswith("/log") and code == 200:
            text = f"2026-01-01T00:00:01Z says {TOKEN}\nprevious: {query.get('previous')}\n".encode()
        else:
            text = json.dumps(body).encode()
        request.send_response(code)
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def find(self, path):
        there = {
            "/api/v1/namespaces/e2e/pods": [POD],
            "/api/v1/namespaces/e2e/events": EVENTS,
            "/api/v1/nodes": [NODE],
        }
        namespace = path.removeprefix("/api/v1/namespaces/")
        one = {"metadata": {"name": namespace}} if "/" not in namespace else {}
        return 200, one or {"items": there.get(path, [])}


@pytest.fixture
def api():
    SECRETS.add(TOKEN)
    api = Api()
    thread = threading.Thread(target=api.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield api
    api.over.set()
    api.server.shutdown()
    api.server.server_close()


@pytest.fixture
def kubeconfig(api, tmp_path):
    file = tmp_path / "kubeconfig"
    server = {"server": f"http://127.0.0.1:{api.server.server_port}"}
    config = {
        "clusters": [{"name": "c", "cluster": server}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.fixture
def collector(kubeconfig, tmp_path, monkeypatch):
    """With more time than any machine needs."""
    monkeypatch.setattr(diagnostics, "ONE_CALL", 60.0)
    return Collector(Cluster("test", kubeconfig), tmp_path / "found", Budget(seconds=300.0))


def texts(found):
    return {one.title: one.file.read_text() if one.file else one.problem for one in found}


def test_everything_is_collected_and_nothing_secret(api, collector):
    found = texts(collector.collect(["e2e", "cedana-system"]))
    assert list(found) == [
        "namespace e2e",
        "pods of e2e",
        "events of e2e",
        "quotas of e2e",
        "limit ranges of e2e",
        "ConfigMaps of e2e",
        "namespace cedana-system",
        "pods of cedana-system",
        "events of cedana-system",
        "quotas of cedana-system",
        "limit ranges of cedana-system",
        "ConfigMaps of cedana-system",
        "nodes",
        "versions",
        "log of e2e/test-nginx nginx",
        "previous log of e2e/test-nginx nginx",
        "log of e2e/test-nginx sidecar",
    ]
    assert found["log of e2e/test-nginx nginx"].startswith("2026-01-01T00:00:01Z says <secret>\n")
    assert "previous: ['true']" in found["previous log of e2e/test-nginx nginx"]
    assert found["namespace e2e"].startswith("Namespace e2e\n")
    assert found["pods of cedana-system"] == "There are no pods.\n"
    everything = "".join(found.values())
    assert TOKEN not in everything
    assert "hunter2" not in everything
    assert not [path for path, _ in api.asked if "secrets" in path]


def test_pods_of_all_namespaces_are_asked_for_only_where_one_is_missed(api, collector):
    found = texts(collector.collect(["e2e"], elsewhere=True))
    assert found["pods of all namespaces"].startswith("NAMESPACE  POD")
    assert [path for path, _ in api.asked].count("/api/v1/pods") == 1


def test_logs_are_bounded(api, collector):
    collector.collect(["e2e"])
    queries = [query for path, query in api.asked if path.endswith("/log")]
    assert len(queries) == 3
    assert all(query["tailLines"] and query["limitBytes"] for query in queries)


def test_it_goes_on_past_what_is_refused(api, collector):
    api.refused.add("/api/v1/namespaces/e2e/events")
    api.refused.add("/api/v1/namespaces/e2e/pods/test-nginx/log")
    found = texts(collector.collect(["e2e"]))
    assert found["events of e2e"] == "403: not for you"
    assert found["log of e2e/test-nginx sidecar"] == "403: not for you"
    assert "test-nginx" in found["pods of e2e"]
    assert "node-1" in found["nodes"]


def test_it_goes_on_past_what_hangs(api, collector, monkeypatch):
    monkeypatch.setattr(diagnostics, "ONE_CALL", 3.0)
    api.hanging.add("/api/v1/namespaces/e2e/events")
    found = texts(collector.collect(["e2e"]))
    assert found["events of e2e"].startswith("no answer: ")
    assert "node-1" in found["nodes"]


def test_a_cluster_that_is_not_there(api, collector, tmp_path):
    api.server.shutdown()
    api.server.server_close()
    found = collector.collect(["e2e"])
    assert [(one.file, one.problem[:10]) for one in found] == [(None, "no answer:")] * 8
    assert not (tmp_path / "found").exists()


def test_nothing_is_begun_when_the_time_is_over(api, kubeconfig, tmp_path):
    seconds = iter(range(0, 10000, 7))
    collector = Collector(Cluster("test", kubeconfig), tmp_path, Budget(clock=lambda: next(seconds)))
    found = texts(collector.collect(["e2e"]))
    assert found["nodes"] == "not collected: the time for diagnostics (20 s) was over"
    assert len(api.asked) <= 1


def test_the_budget_leaves_room_for_a_last_call():
    assert Budget().seconds + 2 * diagnostics.ONE_CALL == diagnostics.WITHIN


def test_pods_in_words():
    assert describe.pods([POD]).splitlines() == [
        "POD         PHASE    READY  RESTARTS  NODE",
        "test-nginx  Pending  1/2    2         node-1",
        "",
        "Pod test-nginx",
        "  phase: Pending",
        "  uid: u-1, created 2026-01-01T00:00:00Z, node: node-1",
        "  runtime class: cedana",
        "  Ready: False - ContainersNotReady: containers: [nginx]",
        "  container nginx: nginx:1.29",
        "    state: waiting - CrashLoopBackOff: back-off 10s, ready: False",
        "    restarts: 2, before: terminated (exitCode 1, finishedAt 2026-01-01T00:00:09Z) - Error",
        "    resources: limits cpu 200m, limits memory 128Mi",
        "    environment: PASSWORD=<hidden>, TOKEN from secretKey cedana-secrets, IP from field status.podIP",
        "  container sidecar: busybox",
        "    state: running (startedAt x), ready: True",
        "    restarts: 0, before: none",
    ]


def test_a_pod_that_has_hardly_begun():
    pod = {"metadata": {"name": "new", "deletionTimestamp": "now"}, "spec": {"containers": [{"name": "a"}]}}
    lines = describe.pods([pod]).splitlines()
    assert lines[1] == "new  unknown, being deleted  0/1    0         none"
    assert "  being deleted since now, finalizers: none" in lines


def test_events_in_order():
    assert describe.events(EVENTS).splitlines() == [
        "LAST SEEN  TIMES  TYPE     REASON     OBJECT          MESSAGE",
        f"00:00:01   1      Normal   Scheduled  Pod/test-nginx  with {TOKEN}",
        "00:00:12   3      Warning  BackOff    Pod/test-nginx  Back-off restarting",
    ]


def test_nodes_in_words():
    lines = describe.nodes([NODE]).splitlines()
    assert "  DiskPressure: True - Full: no space" in lines
    assert "  taint: full=:NoSchedule" in lines
    assert "  labels: e2e.cedana.ai/emulated=true" in lines


def test_links(tmp_path):
    SECRETS.add(TOKEN)
    (tmp_path / "diagnostics").mkdir()
    (tmp_path / "diagnostics" / "a b.txt").write_text("x")
    (tmp_path / "diagnostics" / "d.log").touch()
    text = links.table(
        [
            Found("a <b>", tmp_path / "diagnostics" / "a b.txt"),
            Found("c", None, f"no {TOKEN}"),
            Found("d", tmp_path / "diagnostics" / "d.log"),
        ],
        tmp_path / "diagnostics" / "index.html",
        tmp_path / "logs",
    )
    assert '<td>a &lt;b&gt;</td><td><a href="../diagnostics/a%20b.txt">a b.txt</a></td>' in text
    assert "<td>c</td><td>no &lt;secret&gt;</td>" in text
    assert '<td>d</td><td><a href="../diagnostics/d.log">d.log</a> (empty, nothing was written)</td>' in text


@pytest.mark.parametrize(
    ("text", "name"), [("A: b/c", "A-b-c"), ("..", "unnamed"), ("ümläut", "ümläut"), ("x" * 999, "x" * 150)]
)
def test_file_names(text, name):
    assert safe_name(text) == name


def test_a_directory_of_its_own_each_time(tmp_path):
    for expected in ("A-test", "A-test-2", "A-test-3"):
        directory = fresh_directory(tmp_path, "A test")
        assert directory.name == expected
        directory.mkdir()


def test_the_keyword(robot, kubeconfig):
    run = robot("diagnosed.robot", env={"TEST_KUBECONFIG": str(kubeconfig)})
    assert run.returned == 0, run.console
    assert sorted(one.name for one in (run.out / "diagnostics").iterdir()) == ["Broken-A-Test", "Broken-A-Test-2"]
    log = (run.out / "output.xml").read_text()
    assert 'href="diagnostics/Broken-A-Test/pods-of-e2e.txt"' in log
    assert "No diagnostics: cluster is 'no such alias'" in log
    assert "No diagnostics: Expected: a cluster to work with" in log


def test_what_libraries_offer_is_told_too(tmp_path):
    SECRETS.add(TOKEN)

    def refuse():
        raise ValueError(f"no {TOKEN}")

    collector = Collector(None, tmp_path / "found")
    tales = [Tale("rows at the propagator", lambda: f"row {TOKEN}\n"), Tale("values", refuse)]
    found = texts(collector.collect(["e2e"], tales))
    assert found == {"rows at the propagator": "row <secret>\n", "values": "no <secret>"}


def test_a_tale_that_never_ends_is_left_out_in_time(api, kubeconfig, tmp_path):
    never = threading.Event()
    budget = Budget(seconds=0.5)
    budget.start -= diagnostics.ONE_CALL  # the last call's share of the time is over too
    collector = Collector(Cluster("test", kubeconfig), tmp_path / "found", budget)
    tales = [Tale(f"endless {number}", lambda: str(never.wait(60))) for number in range(20)]
    found = texts(collector.collect(["e2e"], tales))
    never.set()
    assert {found[f"endless {number}"] for number in range(20)} == {str(TimeUp())}


def test_what_hangs_does_not_keep_the_rest_away(api, kubeconfig, tmp_path, monkeypatch):
    monkeypatch.setattr(diagnostics, "ONE_CALL", 60.0)
    collector = Collector(Cluster("test", kubeconfig), tmp_path / "found", Budget(seconds=60))

    def hangs() -> str:
        """Until the rest is there."""
        wait_until(lambda: Done(None) if collector.seen.logs else Pending("no log"), timeout=60, expected="a log")
        return "at last"

    found = texts(collector.collect(["e2e"], [Tale("hanging", hangs)]))
    assert found["hanging"] == "at last"
    assert "test-nginx" in found["pods of e2e"]
    assert "log of e2e/test-nginx nginx" in found


def test_all_files_together_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(diagnostics, "MOST_BYTES", 10)
    collector = Collector(None, tmp_path / "found")
    found = collector.collect([], [Tale("a", lambda: "12345"), Tale("b", lambda: "123456"), Tale("c", lambda: "1")])
    assert [(one.title, one.file is not None) for one in found] == [("a", True), ("b", False), ("c", True)]
    assert "not kept" in found[1].problem


def test_config_maps_show_their_keys_only():
    items = [{"metadata": {"name": "cedana-config"}, "data": {"url": "https://x", "token": TOKEN}, "binaryData": None}]
    assert describe.config_maps(items).splitlines() == ["CONFIGMAP      KEYS", "cedana-config  token, url"]
