"""k3s in containers: a real Docker daemon of the tests' own, and an image of the stand-in k3s."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from python_on_whales import DockerClient

from harness import ledger, rundir
from harness.failures import BadInput, E2EFailure, NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster
from harness.ledger import Ledger
from harness.removal import remove_all
from harness.sources import SOURCES
from K3sLibrary.docker import daemon, machine
from K3sLibrary.native import network
from K3sLibrary.nodes import facts
from K3sLibrary.providers import docker as provider_module
from K3sLibrary.providers.base import Started
from K3sLibrary.providers.docker import DockerOptions, DockerProvider

from . import docker_stand_in, native_stand_in

NODES = 2


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A daemon that has the image of the stand-in, as DOCKER_HOST names it."""
    if reason := docker_stand_in.why_not():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("docker")
    with native_stand_in.alone():
        before = network_of_this_host()
        with docker_stand_in.daemon(folder) as address:
            docker_stand_in.build(address, folder, nodes=NODES)
            yield address
        assert network_of_this_host() == before


def network_of_this_host() -> dict[str, list[str]]:
    """What a daemon could leave behind: links, rules, the policies of chains, and whether packets are forwarded."""
    saved = network.run("iptables-save", check=False).splitlines()
    return {
        "links": sorted(link["ifname"] for link in network.links()),
        "rules": network.rules(),
        "policies": [line.split(" [")[0] for line in saved if line.startswith(":")],
        "forwarding": [network.FORWARDING.read_text()],
    }


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A ledger of the test's own."""
    made = Ledger(tmp_path / "ledger")
    for module in (ledger, rundir, provider_module):
        monkeypatch.setattr(module, "LEDGER", made)
    for module in (provider_module, machine):
        monkeypatch.setattr(module, "private_directory", lambda: tmp_path)
    return made


@pytest.fixture
def docker(address: str, own: Ledger, monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerClient]:
    """The daemon, which has nothing before a test and nothing after it."""
    monkeypatch.setenv("DOCKER_HOST", address)
    client = DockerClient()
    yield client
    assert [str(one) for one in remove_all(own, budget=60, each=60) if one.left] == []
    assert everything(client) == []


def everything(client: DockerClient) -> list[str]:
    """All containers, volumes and networks but Docker's own."""
    names = [one.name for one in client.container.list(all=True)] + [one.name for one in client.volume.list()]
    return names + [one.name for one in client.network.list() if one.name not in ("bridge", "host", "none")]


def made(**options: Any) -> DockerProvider:
    """A provider with the stand-in's image."""
    provider = DockerProvider()
    provider.options = replace(DockerOptions(image=docker_stand_in.IMAGE, nodes=NODES), **options)
    return provider


def start(provider: DockerProvider, timeout: float = 60) -> Started:
    """Starts it."""
    return provider.start(kubeconfig=None, context=None, timeout=timeout, keep=False)


def test_it_is_started_reached_and_ended_without_a_trace(docker: DockerClient) -> None:
    provider = made()
    started = start(provider)
    assert started.kubeconfig.stat().st_mode & 0o777 == 0o600
    (cluster,) = yaml.safe_load(started.kubeconfig.read_text())["clusters"]
    assert cluster["cluster"]["server"].startswith("https://127.0.0.1:")
    assert [node["ready"] for node in facts(Cluster("one", started.kubeconfig, None, "docker")).nodes] == [True, True]
    name = str(provider._entry and provider._entry.name)
    assert sorted(provider.traces()) == [
        f"container {name}",
        f"container {name}-agent-1",
        f"network {name}",
        f"volume {name}",
        f"volume {name}-agent-1",
    ]
    assert any(tale.title == f"log of container {name}" and "Starting k3s" in tale.tell() for tale in SOURCES.all())
    provider.stop(60)
    assert provider.traces() == []
    assert not any(name in tale.title for tale in SOURCES.all())


def test_what_nodes_join_by_stands_on_no_command_line(docker: DockerClient, tmp_path: Path) -> None:
    provider = made()
    start(provider)
    commands = [docker.container.inspect(one).config.cmd or [] for one in docker.container.list()]
    assert not [word for command in commands for word in command if "token" in word.lower()]
    assert not list(tmp_path.glob("*.env"))


def test_two_at_once_do_not_meet(docker: DockerClient) -> None:
    first, second = made(nodes=1), made(nodes=1)
    reached = [start(one) for one in (first, second)]
    servers = {yaml.safe_load(one.kubeconfig.read_text())["clusters"][0]["cluster"]["server"] for one in reached}
    assert len(servers) == 2
    first.stop(60)
    assert first.traces() == []
    assert facts(Cluster("two", reached[1].kubeconfig, None, "docker")).nodes
    second.stop(60)


def test_a_run_that_was_killed_is_cleaned_up_by_its_ledger(docker: DockerClient, own: Ledger) -> None:
    start(made(nodes=1))
    bystander = docker.volume.create("bystander")
    removed = list(remove_all(own, budget=60, each=60))
    assert [str(one) for one in removed if one.left] == []
    assert everything(docker) == ["bystander"]
    docker.volume.remove(bystander)


@pytest.mark.parametrize(
    ("behaviour", "error", "words"),
    [
        ("crash", OperationFailed, "it ended with status 1: "),
        ("crash-later", OperationFailed, "it ended with status 2: "),
        ("mute", WaitTimedOut, "k3s has written no kubeconfig yet"),
        ("unready", WaitTimedOut, "there is no Deployment coredns yet"),
    ],
)
def test_trouble_is_told_with_its_reason(
    behaviour: str, error: type[E2EFailure], words: str, docker: DockerClient, tmp_path: Path
) -> None:
    image = f"stand-in/{behaviour}"
    docker.image.import_(empty_layer(tmp_path), image)
    tag(docker, image, f"STAND_IN_BEHAVIOUR={behaviour}", tmp_path)
    with pytest.raises(error) as failure:
        start(made(image=image, nodes=1), timeout=120 if error is OperationFailed else 8)
    assert words in failure.value.seen
    assert failure.value.cause.name == "cluster-start"


def empty_layer(folder: Path) -> Path:
    """An archive with nothing in it."""
    archive = folder / "empty.tar"
    archive.write_bytes(bytes(10240))
    return archive


def tag(docker: DockerClient, name: str, environment: str, folder: Path) -> None:
    """The stand-in's image with that in its environment, under another name."""
    (folder / "Dockerfile").write_text(f"FROM {docker_stand_in.IMAGE}\nENV {environment}\n")
    host = str(docker.client_config.host or "")
    command = ["docker", *(["--host", host] if host else []), "build", "--quiet", "--tag", name, str(folder)]
    subprocess.run(command, check=True, capture_output=True, env={**__import__("os").environ, "DOCKER_BUILDKIT": "0"})


def test_an_image_that_cannot_be_had(docker: DockerClient) -> None:
    with pytest.raises(OperationFailed) as failure:
        start(made(image="registry.example.test/none:1"))
    assert failure.value.cause.name == "image-pull"
    assert "registry.example.test/none:1" in failure.value.expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"nodes": 0}, "nodes is '0'"),
        ({"nodes": 10}, "nodes is '10'"),
        ({"cgroupns": "mine"}, "cgroupns is 'mine'"),
        ({"images": Path("/nowhere.tar")}, "images is '/nowhere.tar'"),
        ({"registries": Path("/nowhere.yaml")}, "registries is '/nowhere.yaml'"),
    ],
)
def test_bad_input_is_refused_before_docker_is_asked(options: dict[str, Any], words: str, own: Ledger) -> None:
    with pytest.raises(BadInput, match=words):
        start(made(**options))
    assert own.owed() == []


def test_without_the_command(own: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(OperationFailed, match="there is none on PATH") as failure:
        start(made())
    assert failure.value.cause.name == "host-unfit"


def test_without_a_daemon(own: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    if not docker_stand_in.shutil.which("docker"):
        pytest.skip("needs the command docker")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    with pytest.raises(OperationFailed, match="no daemon answers") as failure:
        start(made())
    assert failure.value.cause.name == "host-unfit"
    assert own.owed() == []


def test_the_words_of_a_daemon_that_refuses_this_user() -> None:
    words = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"
    seen, cause, look = daemon._explained(words)
    assert (cause, look) == ("host-unfit", "add the user to the group docker, or run as root")
    assert words in seen


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("manifest for rancher/k3s:v0 not found: manifest unknown", "image-pull"),
        ("pull access denied for nothing, repository does not exist", "image-pull"),
        ("write /var/lib/docker/tmp: no space left on device", "disk-full"),
        ("driver failed programming external connectivity", "cluster-start"),
    ],
)
def test_causes_of_what_docker_says(words: str, cause: str) -> None:
    assert daemon._explained(words)[1] == cause


def fake(*, components: tuple[str, ...] = ("Engine",), **info: Any) -> Any:
    """A client of a daemon that tells this of itself."""
    facts = {"security_options": ["name=seccomp"], "os_type": "linux", "mem_total": 8 * 1024**3} | info
    server = SimpleNamespace(components=[SimpleNamespace(name=name) for name in components])
    return SimpleNamespace(
        system=SimpleNamespace(info=lambda: SimpleNamespace(**facts)), version=lambda: SimpleNamespace(server=server)
    )


def test_a_daemon_that_can_carry_it_and_one_that_is_doubtful() -> None:
    assert daemon.check(fake()) == []
    assert daemon.check(fake(components=("Podman Engine",))) == [
        "the socket is Podman's, with which this was not tried"
    ]


def test_everything_that_a_daemon_lacks_is_said_at_once() -> None:
    with pytest.raises(NotAsExpected) as failure:
        daemon.check(fake(security_options=["name=rootless"], os_type="windows", mem_total=1024**3))
    assert failure.value.seen == (
        "it runs rootless, and k3s with CRIU needs a daemon of root; "
        "its containers are those of windows, not of Linux; it has 1.0 GiB of memory, and 2 GiB are needed"
    )
