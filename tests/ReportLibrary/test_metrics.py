"""Metrics of a run: both text formats, the push, and a dashboard that asks for nothing else."""

import json
import re
import subprocess
import sys
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from harness.failures import BadInput
from ReportLibrary import metrics, optional
from ReportLibrary.exports import Places

DASHBOARD = Path(metrics.__file__).with_name("grafana.json")


@pytest.fixture(scope="module")
def run(robot):
    """What evidence.json has of a run, with figures that the suite does not record."""
    found = json.loads((robot("exported.robot").out / "evidence.json").read_text())
    found["summary"]["checkpoints"] = {"made": 2, "bytes": 4096, "left": 1}
    use = {"phase": "restore", "of": "workload", "cpu_cores_most": 0.5, "memory_bytes_most": 2048}
    found["summary"]["resource_use"] = [use]
    return found


@pytest.fixture
def pushgateway():
    """Where one listens, and what was sent to it."""
    taken = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            taken.append((self.path, body, self.headers["Authorization"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,)).start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    server.server_close()


def samples(families):
    return {
        (one.name, *sorted((name, value) for name, value in one.labels.items() if name != "provider")): one.value
        for family in families
        for one in family.samples
    }


def test_the_textfile_is_good_in_both_formats(run, tmp_path):
    file = tmp_path / "e2e.prom"
    metrics.write(file, run)
    found = samples(openmetrics(file.read_text()))
    assert found == samples(prometheus(file.read_text()))
    assert [path.name for path in tmp_path.iterdir()] == ["e2e.prom"]
    assert found["cedana_e2e_run_success",] == 0
    assert found["cedana_e2e_tests", ("status", "PASS")] == 1
    assert found["cedana_e2e_failures", ("blame", "service"), ("cause", "auth")] == 1
    labels = (("measurement", "restore"), ("statistic", "median"), ("unit", "s"))
    assert found["cedana_e2e_measurement", *labels] == 0.5
    assert found["cedana_e2e_checkpoint_stored_bytes",] == 4096
    assert found["cedana_e2e_cpu_cores_most", ("of", "workload"), ("phase", "restore")] == 0.5


def test_every_gauge_is_set(run):
    exported = {family.name for family in metrics.registry(run).collect() if family.samples}
    assert exported == {f"{metrics.JOB}_{name}" for name in metrics.GAUGES}


def test_a_run_without_an_environment_has_metrics(robot):
    metrics.registry(json.loads((robot("skipped.robot").out / "evidence.json").read_text()))


def test_the_push(run, pushgateway):
    url, taken = pushgateway
    metrics.push(url, run)
    ((path, body, authorization),) = taken
    assert path == "/metrics/job/cedana_e2e/provider/sandbox"
    assert "cedana_e2e_run_success{" in body
    assert authorization is None


def test_the_push_with_basic_authentication(run, pushgateway):
    url, taken = pushgateway
    metrics.push(url.replace("//", "//me:p%40ss%2Fword@"), run)
    assert taken[0][::2] == ("/metrics/job/cedana_e2e/provider/sandbox", f"Basic {b64encode(b'me:p@ss/word').decode()}")


def test_a_password_of_the_pushgateway_is_nowhere(robot):
    url = "http://me:n0t-to-be-seen@127.0.0.1:1/x"
    ran = robot("exported.robot", "--loglevel", "TRACE", env={"PUSHGATEWAY": url})
    (line,) = [line for line in ran.lines if line.startswith("The Pushgateway's metrics at http://127.0.0.1:1/x could")]
    assert "refused" in line
    assert not [name for name, content in ran.bytes().items() if b"n0t-to-be-seen" in content]


def lost(ours, known, at=""):
    """What Grafana's own model of a dashboard does not keep of ours: fields that it does not know."""
    if isinstance(ours, dict):
        gone = [f"{at}/{name}" for name in ours if name not in known]
        return gone + [one for name in ours if name in known for one in lost(ours[name], known[name], f"{at}/{name}")]
    if isinstance(ours, list):
        return [one for number, item in enumerate(ours) for one in lost(item, known[number], f"{at}/{number}")]
    return [] if ours == known else [at]


def test_fields_that_grafana_does_not_know_are_found():
    text = json.loads(DASHBOARD.read_text())
    text["panels"][0]["gridPosition"] = {}
    assert lost(text, json.loads(json.dumps(Dashboard.from_json(text), cls=JSONEncoder))) == ["/panels/0/gridPosition"]


def test_the_dashboard_is_one_of_grafana():
    text = json.loads(DASHBOARD.read_text())
    assert lost(text, json.loads(json.dumps(Dashboard.from_json(text), cls=JSONEncoder))) == []
    places = [panel["gridPos"] for panel in text["panels"]]
    cells = [
        (x, y) for at in places for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in text["panels"]}) == len(text["panels"])


def test_the_dashboard_asks_for_what_is_exported_by_labels_that_it_has():
    text = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in text["panels"] for target in panel["targets"]]
    queries.append(text["templating"]["list"][1]["query"])
    asked = {name for query in queries for name in re.findall(rf"{metrics.JOB}_(\w+)", query)}
    assert asked == set(metrics.GAUGES)
    for query in queries:
        for name, selector in re.findall(rf"{metrics.JOB}_(\w+){{([^}}]*)}}", query):
            assert set(re.findall(r"(\w+)=", selector)) <= {"provider", *metrics.GAUGES[name][1]}


def test_asking_without_the_packages_says_what_to_install(monkeypatch):
    monkeypatch.setattr(optional, "find_spec", lambda _: None)
    Places(history=Path("/x")).check()
    with pytest.raises(BadInput) as refused:
        Places(pushgateway="http://127.0.0.1:1").check()
    assert str(refused.value) == (
        "pushgateway is 'http://127.0.0.1:1'; it must be left out, or its packages be installed: "
        "pip install -r requirements-observability.txt.\nCause: bad-settings (environment)"
    )


def test_a_run_that_asks_for_nothing_loads_nothing():
    code = "import sys, ReportLibrary; print([n for n in sys.modules if n.startswith(('prometheus', 'opentelemetry'))])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.stdout == b"[]\n"
