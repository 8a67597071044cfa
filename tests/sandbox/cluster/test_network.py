"""Names, Services and servers, seen from inside of a pod."""

from __future__ import annotations

import pytest

from sandbox import kinds
from sandbox.api import objects
from sandbox.runtime import NotHttp, Request

ECHO = ["nc", "-lk", "-p", "9000", "-e", "cat"]


@pytest.fixture
async def peers(hands):
    """Pod `client`; pods `web` (nginx) and `store` (redis) behind Services of their names; `web` headless too."""
    hands.pod("client", ["sleep", "3600"])
    hands.pod("web", image="nginx", ports=[{"containerPort": 80, "name": "http"}], hostname="one", subdomain="pods")
    hands.pod("store", image="redis:7.2", ports=[{"containerPort": 6379}])
    for name, spec in {
        "web": {"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": "http"}]},
        "store": {"selector": {"app": "store"}, "ports": [{"port": 6379}]},
        "pods": {"selector": {"app": "web"}, "clusterIP": "None", "ports": [{"port": 80}]},
        "lonely": {"selector": {"app": "nobody"}, "ports": [{"port": 80}]},
        "elsewhere": {"type": "ExternalName", "externalName": "web.test.svc.cluster.local"},
    }.items():
        hands.create(kinds.SERVICE, {"metadata": {"name": name}, "spec": spec})
    for name in ("client", "web", "store"):
        await hands.running(name)
    await hands.until(lambda: all(hands.get(kinds.ENDPOINTS, n).get("subsets") for n in ("web", "store", "pods")))
    return hands


@pytest.mark.parametrize("name", ["web", "web.test", "web.test.svc", "web.test.svc.cluster.local."])
async def test_a_service_has_its_names(peers, name):
    address = peers.get(kinds.SERVICE, "web")["spec"]["clusterIP"]
    code, out, _ = peers.run("client", "nslookup", name)
    assert code == 0
    assert f"Name:\tweb.test.svc.cluster.local\nAddress: {address}\n" in out
    assert peers.run("client", "getent", "hosts", name)[1].split()[0] == address


async def test_a_headless_service_names_its_pods(peers):
    address = peers.status("web")["podIP"]
    assert peers.run("client", "getent", "hosts", "pods")[1].split()[0] == address
    assert peers.run("client", "getent", "hosts", "one.pods.test.svc.cluster.local")[1].split()[0] == address
    assert peers.run("client", "getent", "hosts", "two.pods.test.svc.cluster.local")[0] == 2
    dashed = address.replace(".", "-")
    assert peers.run("client", "getent", "hosts", f"{dashed}.test.pod.cluster.local")[0] == 0


async def test_a_name_that_nobody_has(peers):
    code, out, _ = peers.run("client", "nslookup", "nope")
    assert code == 1
    assert "** server can't find nope: NXDOMAIN" in out
    assert peers.run("client", "wget", "-qO-", "http://nope/")[2] == "wget: bad address 'nope'\n"
    assert peers.run("client", "curl", "-s", "http://nope/")[0] == 6


async def test_one_pod_asks_another_through_its_service(peers):
    assert "Welcome to nginx!" in peers.run("client", "wget", "-qO-", "http://web:8080")[1]
    assert "Welcome to nginx!" in peers.run("client", "wget", "-q", "-O", "-", "http://elsewhere:8080/")[1]
    assert "Welcome to nginx!" in peers.run("client", "curl", "-sf", f"http://{peers.status('web')['podIP']}")[1]
    code, out, _ = peers.run("client", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}\\n", "http://web:8080/no")
    assert (code, out) == (0, "404\n")
    assert peers.run("client", "wget", "-q", "http://web:8080/no")[0] == 1
    client = peers.status("client")["podIP"]
    assert any(line.startswith(f"{client} - - [") and '"GET / HTTP/1.1" 200' in line for line in peers.log("web"))


async def test_nothing_answers_where_nothing_listens(peers):
    assert "Connection refused" in peers.run("client", "wget", "-qO-", "http://lonely")[2]
    assert peers.run("client", "nc", "-z", "web", "81")[0] == 1
    assert peers.run("client", "nc", "-z", "web", "8080")[0] == 0
    assert peers.run("client", "curl", "-s", "http://10.99.99.99/")[0] == 7


async def test_dns_that_fails_and_a_service_that_is_not_reached(peers, cluster):
    cluster.network.unreachable.add(("test", "web"))
    assert "Connection timed out" in peers.run("client", "wget", "-qO-", "http://web:8080")[2]
    assert peers.run("client", "curl", "-s", f"http://{peers.status('web')['podIP']}")[0] == 0
    cluster.network.dns_fails = True
    assert "no servers could be reached" in peers.run("client", "nslookup", "web")[1]


async def test_node_ports_lead_to_the_pods(peers, cluster):
    spec = {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80, "nodePort": 30080}]}
    peers.create(kinds.SERVICE, {"metadata": {"name": "outside"}, "spec": spec})
    await peers.until(lambda: peers.get(kinds.ENDPOINTS, "outside").get("subsets"))
    address = cluster.node_address("node-2")
    assert "Welcome to nginx!" in peers.run("client", "wget", "-qO-", f"http://{address}:30080")[1]


async def test_a_counter_in_the_memory_of_redis(peers, cluster):
    ask = ("redis-cli", "-h", "store")
    assert peers.run("client", *ask, "PING")[1] == "PONG\n"
    assert [peers.run("client", *ask, "incr", "n")[1] for _ in range(3)] == ["1\n", "2\n", "3\n"]
    assert peers.run("store", "redis-cli", "get", "n")[1] == "3\n"
    assert peers.run("store", "redis-cli", "set", "word", "a b")[1] == "OK\n"
    code, out, _ = peers.run("store", "redis-cli", "incr", "word")
    assert (code, out) == (1, "ERR value is not an integer or out of range\n")
    assert "'LPUSH' is not emulated" in peers.run("store", "redis-cli", "lpush", "l", "1")[1]
    assert "Connection refused" in peers.run("client", "redis-cli", "ping")[2]
    facts = peers.run("store", "redis-cli", "info", "server")[1]
    assert "redis_version:7.2\r\n" in facts
    uid = peers.get(kinds.POD, "store")["metadata"]["uid"]
    with pytest.raises(NotHttp):
        cluster.runtime.http(uid, 6379, Request())


async def test_a_restore_carries_the_memory_of_redis_and_a_restart_does_not(peers, cluster):
    def run_id(pod):
        return next(line for line in peers.run(pod, "redis-cli", "info")[1].splitlines() if line.startswith("run_id:"))

    peers.run("store", "redis-cli", "incr", "n")
    source = peers.get(kinds.POD, "store")
    before = run_id("store")
    snapshot = cluster.runtime.snapshot(source["metadata"]["uid"], source)
    peers.run("store", "redis-cli", "incr", "n")
    restored = peers.pod("again", image="redis:7.2")
    cluster.runtime.stage(restored["metadata"]["uid"], snapshot)
    peers.pod("fresh", image="redis:7.2")
    for name in ("again", "fresh"):
        await peers.running(name)
    assert peers.run("again", "redis-cli", "incr", "n")[1] == "2\n"
    assert run_id("again") == before != run_id("fresh")
    assert peers.run("fresh", "redis-cli", "get", "n")[1] == "\n"


async def test_a_plain_tcp_server_echoes(hands, cluster):
    pod = hands.pod("echo", ECHO)
    await hands.running("echo")
    uid = pod["metadata"]["uid"]
    connection = cluster.runtime.connect(uid, 9000, "127.0.0.1")
    assert connection.feed(b"one\n") == b"one\n"
    assert cluster.runtime.connections(uid) == 1
    connection.close()
    assert cluster.runtime.connections(uid) == 0
    connection = cluster.runtime.connect(uid, 9000, "127.0.0.1")
    cluster.runtime.stop(uid, "main", 1)
    assert connection.feed(b"two\n") == b""
    assert connection.ended


async def test_nginx_takes_its_configuration_from_a_config_map(hands, cluster):
    status = "server { listen 8080; location /status { stub_status on; access_log off; }\n"
    status += "  location = /hi { return 200 'hello'; }\n"
    blocks = "  location /up { proxy_pass http://other; } }"
    hands.create(
        kinds.CONFIG_MAP, {"metadata": {"name": "conf"}, "data": {"main.conf": f"http {{ {status}{blocks} }}"}}
    )
    pod = hands.pod(
        "web",
        image="nginx",
        args=["nginx", "-c", "/conf/main.conf", "-g", "daemon off;"],
        volumes=[{"name": "c", "configMap": {"name": "conf"}}],
        volumeMounts=[{"name": "c", "mountPath": "/conf"}],
    )
    await hands.running("web")
    uid = pod["metadata"]["uid"]
    assert cluster.runtime.http(uid, 8080, Request(path="/hi")).body == b"hello"
    assert b" 2 2 2 " in cluster.runtime.http(uid, 8080, Request(path="/status")).body
    assert cluster.runtime.http(uid, 8080, Request(path="/nope")).status == 404
    assert [line.split()[6] for line in hands.log("web")] == ["/hi", "/nope"]
    refused = cluster.runtime.http(uid, 8080, Request(path="/up"))
    assert (refused.status, refused.body) == (501, b"emulated nginx: proxy_pass is not emulated\n")


async def test_nginx_without_its_configuration_ends(hands):
    hands.pod("web", image="nginx", args=["nginx", "-c", "/conf/nope.conf", "-g", "daemon off;"], restartPolicy="Never")
    await hands.until(lambda: hands.status("web").get("phase") == "Failed")
    assert hands.log("web") == ['nginx: [emerg] open() "/conf/nope.conf" failed (2: No such file or directory)']


async def test_files_come_and_go_as_archives(hands):
    hands.pod("box", ["sleep", "3600"])
    await hands.running("box")
    hands.run("box", "sh", "-c", "mkdir -p /srv/d /srv/e; echo a > /srv/d/f")
    machine_out = []
    container = hands.cluster.runtime.container(hands.get(kinds.POD, "box")["metadata"]["uid"], "main")
    machine = hands.cluster.runtime.run(
        container, ["tar", "cf", "-", "/srv/d"], lambda _a, _s, d: machine_out.append(d)
    )
    machine.advance(hands.cluster.runtime.now() + 10**9)
    assert hands.run("box", "tar", "-xmf", "-", "-C", "/srv/e", stdin=b"".join(machine_out))[0] == 0
    assert hands.run("box", "cat", "/srv/e/srv/d/f")[1] == "a\n"
    assert hands.run("box", "tar", "cf", "-", "/nope")[0] == 2


async def test_a_pod_that_is_gone_is_not_reached(peers, cluster):
    objects.delete(cluster, kinds.POD, "test", "web", grace=0)
    await peers.until(lambda: not peers.get(kinds.ENDPOINTS, "web").get("subsets"))
    assert "Connection refused" in peers.run("client", "wget", "-qO-", "http://web:8080")[2]
