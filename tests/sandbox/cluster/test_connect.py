"""Logs, exec and the proxy, with the official client and the real kubectl."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward, stream

from .conftest import WITNESS

KUBECTL = Path(sys.executable).parent / "kubectl"
NAMESPACE = "connect"
NGINX = f"""printf 'server {{ listen 80; location / {{ root /usr/share/nginx/html; }}
location = /nginx_status {{ stub_status; }} }}' > /etc/nginx/conf.d/default.conf
({WITNESS}) & exec nginx -g 'daemon off;'"""


def _until(condition, what):
    deadline = time.monotonic() + 60
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within 60 s: {what}")
        time.sleep(0.05)
    return found


def _ready(api, name):
    status = api.read_namespaced_pod(name, NAMESPACE).status
    return any(c.type == "Ready" and c.status == "True" for c in status.conditions or [])


@pytest.fixture(scope="module")
def api(sandbox):
    """The official client; pods `web` (nginx and a witness) and `two`; a Service for `web` and one without pods."""
    core = client.CoreV1Api(config.new_client_from_config(sandbox["kubeconfig"]))
    core.create_namespace({"metadata": {"name": NAMESPACE}})
    web = {
        "name": "nginx",
        "image": "nginx",
        "command": ["sh", "-c", NGINX],
        "ports": [{"containerPort": 80, "name": "http"}],
    }
    core.create_namespaced_pod(
        NAMESPACE, {"metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {"containers": [web]}}
    )
    store = {"name": "redis", "image": "redis:7.4", "ports": [{"containerPort": 6379}]}
    core.create_namespaced_pod(NAMESPACE, {"metadata": {"name": "store"}, "spec": {"containers": [store]}})
    both = [{"name": n, "image": "busybox", "command": ["sh", "-c", f"echo {n}; sleep 3600"]} for n in ("a", "b")]
    core.create_namespaced_pod(NAMESPACE, {"metadata": {"name": "two"}, "spec": {"containers": both}})
    for name, port in (("web", {"port": 8080, "targetPort": "http"}), ("lonely", {"port": 80})):
        spec = {"selector": {"app": name}, "ports": [port]}
        core.create_namespaced_service(NAMESPACE, {"metadata": {"name": name}, "spec": spec})
    for name in ("web", "two", "store"):
        _until(lambda name=name: _ready(core, name), f"pod {name} is Ready")
    yield core
    core.delete_namespace(NAMESPACE)


@pytest.fixture
def kubectl(sandbox, api):
    """Runs the real kubectl; gives its status, output and errors."""
    if not KUBECTL.exists():
        pytest.skip(f"there is no kubectl at {KUBECTL}")

    def run(*arguments, stdin=""):
        command = [str(KUBECTL), "--kubeconfig", sandbox["kubeconfig"], "-n", NAMESPACE, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


def test_logs_with_their_options(api):
    read = api.read_namespaced_pod_log
    _until(lambda: len(read("web", NAMESPACE).splitlines()) > 3, "four steps")
    first = read("web", NAMESPACE, timestamps=True).splitlines()[0]
    stamp, line = first.split(" ", 1)
    assert len(stamp) == len("2026-11-25T01:41:51.127420589Z")
    assert line.startswith("witness/1 nonce=")
    assert len(read("web", NAMESPACE, tail_lines=2).splitlines()) == 2
    assert len(read("web", NAMESPACE, limit_bytes=10)) == 10
    assert read("web", NAMESPACE, tail_lines=0) == ""
    assert read("two", NAMESPACE, container="b") == "b\n"


@pytest.mark.parametrize(
    ("name", "options", "code", "words"),
    [
        ("two", {}, 400, "a container name must be specified for pod two, choose one of: [a b]"),
        ("web", {"container": "zz"}, 400, "container zz is not valid for pod web"),
        ("web", {"previous": True}, 400, 'previous terminated container "nginx" in pod "web" not found'),
        ("web", {"tail_lines": -1}, 422, "tailLines: Invalid value: -1: must be greater than or equal to 0"),
        ("gone", {}, 404, 'pods "gone" not found'),
    ],
)
def test_logs_that_are_refused(api, name, options, code, words):
    with pytest.raises(ApiException) as refused:
        api.read_namespaced_pod_log(name, NAMESPACE, **options)
    assert refused.value.status == code
    assert words in json.loads(refused.value.body)["message"]


def test_following_a_log_ends_with_the_container(api):
    command = ["sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.3; done"]
    spec = {"containers": [{"name": "main", "image": "busybox", "command": command}], "restartPolicy": "Never"}
    api.create_namespaced_pod(NAMESPACE, {"metadata": {"name": "short"}, "spec": spec})
    _until(lambda: api.read_namespaced_pod("short", NAMESPACE).status.phase != "Pending", "short runs")
    response = api.read_namespaced_pod_log("short", NAMESPACE, follow=True, _preload_content=False)
    assert response.read() == b"1\n2\n3\n"


def test_the_log_before_a_restart(api):
    spec = {
        "containers": [{"name": "main", "image": "busybox", "command": ["sh", "-c", "echo run; sleep 0.2; exit 1"]}]
    }
    api.create_namespaced_pod(NAMESPACE, {"metadata": {"name": "restarts"}, "spec": spec})

    def restarts():
        statuses = api.read_namespaced_pod("restarts", NAMESPACE).status.container_statuses
        return statuses and statuses[0].restart_count

    _until(restarts, "a restart")
    assert api.read_namespaced_pod_log("restarts", NAMESPACE, previous=True) == "run\n"


def test_exec_with_the_official_client(api):
    def run(*command, **more):
        options = {"command": list(command), "stdout": True, "stderr": True, "stdin": False, "tty": False, **more}
        return stream(api.connect_get_namespaced_pod_exec, "web", NAMESPACE, **options)

    assert run("sh", "-c", "printf hello > /srv/f; cat /srv/f; hostname") == "helloweb\n"
    assert run("cat", "/srv/f") == "hello"
    session = run("sh", "-c", "echo out; echo err >&2; exit 3", _preload_content=False)
    session.run_forever(timeout=60)
    assert (session.read_stdout(), session.read_stderr(), session.returncode) == ("out\n", "err\n", 3)


def test_exec_with_kubectl(kubectl):
    assert kubectl("exec", "web", "--", "sha256sum", "/etc/hostname")[0] == 0
    status, out, err = kubectl("exec", "web", "--", "frobnicate")
    assert (status, out) == (126, "")
    assert "emulated container: the command 'frobnicate' is not emulated" in err
    assert kubectl("exec", "-i", "web", "--", "cat", stdin="through\n")[:2] == (0, "through\n")
    assert kubectl("exec", "-i", "web", "--", "sh", stdin="echo a\nfalse\n")[:2] == (1, "a\n")
    status, _, err = kubectl("exec", "two", "-c", "nope", "--", "ls")
    assert status == 1
    assert "container nope is not valid for pod two" in err


def test_exec_without_an_upgrade_is_refused(api):
    with pytest.raises(ApiException) as refused:
        api.connect_post_namespaced_pod_exec("web", NAMESPACE, command=["ls"], stdout=True)
    assert json.loads(refused.value.body)["message"] == "Upgrade request required"


def test_nginx_answers_through_the_proxy(api):
    body, status, headers = api.connect_get_namespaced_pod_proxy_with_http_info("web:80", NAMESPACE)
    assert status == 200
    assert "Welcome to nginx!" in body
    assert headers["Server"].startswith("nginx/")
    pages = [
        api.connect_get_namespaced_service_proxy_with_path(name, NAMESPACE, "nginx_status")
        for name in ("web", "web:8080", "http:web:8080")
    ]
    counts = [int(page.splitlines()[2].split()[2]) for page in pages]
    assert counts == [counts[0], counts[0] + 1, counts[0] + 2]


@pytest.mark.parametrize(
    ("kind", "name", "code", "words"),
    [
        ("service", "lonely", 503, 'no endpoints available for service "lonely"'),
        ("service", "web:9", 503, 'no service port "9" found for service "web"'),
        ("service", "gone", 404, 'services "gone" not found'),
        ("pod", "web:81", 503, "connect: connection refused"),
        ("pod", "two", 503, "connect: connection refused"),
    ],
)
def test_what_the_proxy_cannot_reach(api, kind, name, code, words):
    with pytest.raises(ApiException) as refused:
        getattr(api, f"connect_get_namespaced_{kind}_proxy")(name, NAMESPACE)
    assert refused.value.status == code
    assert words in json.loads(refused.value.body)["message"]


def _get(connection, path):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: web\r\n\r\n".encode())
    received = b""
    while b"</html>" not in received:
        received += connection.recv(4096)
    return received.decode()


def test_port_forward_with_the_official_client(api):
    forward = portforward(api.connect_get_namespaced_pod_portforward, "web", NAMESPACE, ports="80")
    connection = forward.socket(80)
    connection.settimeout(60)
    try:
        assert "HTTP/1.1 200 OK" in _get(connection, "/")
        assert "HTTP/1.1 404 Not Found" in _get(connection, "/nope")
    finally:
        forward.close()


@contextmanager
def _forwarded(sandbox, target, port):
    """The local port that kubectl forwards."""
    head = [str(KUBECTL), "--kubeconfig", sandbox["kubeconfig"], "-n", NAMESPACE, "port-forward", target, f":{port}"]
    process = subprocess.Popen(head, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        line = process.stdout.readline()
        assert f"-> {port}" in line
        yield int(line.split(":")[1].split()[0])
    finally:
        process.terminate()
        process.wait(60)


def test_port_forward_with_kubectl(sandbox, kubectl):
    with (
        _forwarded(sandbox, "pod/web", 80) as port,
        socket.create_connection(("127.0.0.1", port), timeout=60) as connection,
    ):
        assert "Welcome to nginx!" in _get(connection, "/")


def test_a_counter_over_a_forwarded_port(sandbox, kubectl):
    with (
        _forwarded(sandbox, "pod/store", 6379) as port,
        socket.create_connection(("127.0.0.1", port), timeout=60) as connection,
    ):
        reader = connection.makefile("rb")
        connection.sendall(b"*2\r\n$4\r\nINCR\r\n$5\r\nsteps\r\n*1\r\n$4\r\nPING\r\n")
        assert [reader.readline(), reader.readline()] == [b":1\r\n", b"+PONG\r\n"]
        assert kubectl("exec", "store", "--", "redis-cli", "INCR", "steps")[1] == "2\n"
        connection.sendall(b"GET steps\r\n")
        assert [reader.readline(), reader.readline()] == [b"$1\r\n", b"2\r\n"]


def test_a_forwarded_port_on_which_nothing_listens(sandbox, kubectl):
    with (
        _forwarded(sandbox, "pod/store", 99) as port,
        socket.create_connection(("127.0.0.1", port), timeout=60) as connection,
    ):
        assert connection.recv(10) == b""


def test_a_counter_with_the_official_client(api):
    forward = portforward(api.connect_get_namespaced_pod_portforward, "store", NAMESPACE, ports="6379")
    connection = forward.socket(6379)
    connection.settimeout(60)
    try:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100) == b"+PONG\r\n"
    finally:
        forward.close()


def test_one_pod_asks_another(kubectl):
    assert "Welcome to nginx!" in kubectl("exec", "two", "-c", "a", "--", "wget", "-qO-", "http://web:8080")[1]


def test_files_are_copied(kubectl, tmp_path):
    (tmp_path / "there").write_text("there\n")
    assert kubectl("cp", str(tmp_path / "there"), "store:/srv/file")[0] == 0
    assert kubectl("exec", "store", "--", "cat", "/srv/file")[1] == "there\n"
    assert kubectl("cp", "store:/srv/file", str(tmp_path / "back"))[0] == 0
    assert (tmp_path / "back").read_text() == "there\n"


def test_use_is_measured(kubectl):
    status, out, err = kubectl("top", "pods")
    assert status == 0, err
    assert {line.split()[0] for line in out.splitlines()} >= {"NAME", "web", "store"}
    status, out, err = kubectl("top", "nodes")
    assert status == 0, err
    assert [line.split()[0] for line in out.splitlines()] == ["NAME", "node-1", "node-2"]
    summary = json.loads(kubectl("get", "--raw", "/api/v1/nodes/node-1/proxy/stats/summary")[1])
    assert summary["node"]["nodeName"] == "node-1"


def test_debugging_containers_are_refused(kubectl):
    status, _, err = kubectl("debug", "store", "--image=busybox")
    assert status == 1
    assert "the sandbox does not emulate pods/ephemeralcontainers" in err


def test_who_attaches_gets_what_is_printed_until_the_end(api, sandbox):
    script = "i=0; until [ -f /srv/end ]; do i=$((i+1)); echo $i; sleep 0.1; done"
    counter = {"name": "c", "image": "busybox", "command": ["sh", "-c", script]}
    api.create_namespaced_pod(
        NAMESPACE, {"metadata": {"name": "counter"}, "spec": {"restartPolicy": "Never", "containers": [counter]}}
    )
    _until(lambda: _ready(api, "counter"), "a Ready pod")
    core = client.CoreV1Api(config.new_client_from_config(sandbox["kubeconfig"]))
    options = {"stdout": True, "stderr": True, "_preload_content": False}
    session = stream(core.connect_get_namespaced_pod_attach, "counter", NAMESPACE, **options)
    first = int(session.readline_stdout(timeout=20))
    stream(api.connect_get_namespaced_pod_exec, "counter", NAMESPACE, command=["sh", "-c", "echo > /srv/end"])
    session.run_forever(timeout=20)
    later = [int(line) for line in session.read_stdout().split()]
    assert not session.is_open()
    assert later == list(range(first + 1, first + 1 + len(later)))
    assert session.returncode == 0


def test_a_container_that_never_ran_is_not_found(api, kubectl):
    pod = {"metadata": {"name": "unpulled"}, "spec": {"containers": [{"name": "c", "image": "registry.invalid/x"}]}}
    api.create_namespaced_pod(NAMESPACE, pod)
    for command, words in (
        (
            ["exec", "unpulled", "--", "ls"],
            "Internal error occurred: unable to upgrade connection: container not found",
        ),
        (["attach", "unpulled"], "unable to upgrade connection: container c not found in pod unpulled_connect"),
    ):
        status, _, err = kubectl(*command)
        assert (status, words in err) == (1, True), err
    for upgrade in ({"Upgrade": "websocket", "Sec-WebSocket-Protocol": "v4.channel.k8s.io"}, {"Upgrade": "SPDY/3.1"}):
        with pytest.raises(ApiException) as refused:
            api.connect_get_namespaced_pod_exec(
                "unpulled", NAMESPACE, command=["ls"], _headers={"Connection": "Upgrade", **upgrade}
            )
        assert (refused.value.status, refused.value.body) == (500, 'container not found ("c")\n')


def test_what_is_not_emulated_is_refused(api):
    with pytest.raises(ApiException) as refused:
        api.connect_get_node_proxy_with_path("node-1", "logs/")
    assert refused.value.status == 501


def test_the_token_in_a_pod_is_one_that_the_api_takes(kubectl):
    path = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    token = kubectl("exec", "web", "--", "cat", path)[1]
    _, out, err = kubectl("--token", token, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")
    assert (out, err) == (f"system:serviceaccount:{NAMESPACE}:default", "")
