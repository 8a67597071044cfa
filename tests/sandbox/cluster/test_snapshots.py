"""The witness, checkpoints of it, and what a restored container does."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

import pytest

from sandbox import kinds
from sandbox.api import objects
from sandbox.runtime import Request

from .conftest import WITNESS

LINE = re.compile(r"^witness/1 nonce=([0-9a-f]{16}) step=(\d+) chain=([0-9a-f]{16})$")


@dataclass
class Clock:
    """Wall time that stands where the test puts it."""

    now: int = 1_800_000_000 * 10**9

    def __call__(self) -> int:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        """Moves on."""
        self.now += int(seconds * 10**9)


@pytest.fixture
def clock(cluster) -> Clock:
    """The containers' clock in the test's hand."""
    cluster.runtime.now = Clock()
    return cluster.runtime.now


def steps(lines):
    """Nonce, step and chain of the witness lines."""
    return [(m[1], int(m[2]), m[3]) for m in map(LINE.match, lines) if m]


def stamped(hands, name):
    """The log's lines with their times."""
    uid = hands.get(kinds.POD, name)["metadata"]["uid"]
    return list(hands.cluster.runtime.container(uid, "main").log.lines)


async def _restored(hands, snapshot, name="w-restored"):
    body = {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "main", "image": "nginx", "command": ["sh", "-c", WITNESS]}]},
    }
    pod = hands.create(kinds.POD, body)
    hands.cluster.runtime.stage(pod["metadata"]["uid"], snapshot)
    return await hands.running(name)


@pytest.mark.parametrize(
    "command",
    [
        ["sh", "-c", WITNESS],
        ["sh", "-c", f"({WITNESS}) & exec nginx -g 'daemon off;'"],
        ["python3", "-c", "print(f'witness/1 nonce={k} step={n} chain={c}'); time.sleep(0.2)"],
    ],
)
async def test_a_declared_witness_steps_five_times_a_second(hands, clock, command):
    hands.pod("w", command, image="nginx")
    await hands.running("w")
    clock.pass_seconds(10)
    found = steps(hands.log("w"))
    assert 48 <= len(found) <= 50
    assert [step for _, step, _ in found] == list(range(1, len(found) + 1))
    assert len({nonce for nonce, _, _ in found}) == 1
    chain = "0" * 16
    for nonce, step, value in found:
        chain = hashlib.sha256(f"{chain} {nonce} {step}".encode()).hexdigest()[:16]
        assert value == chain


async def test_two_starts_have_two_nonces(hands, clock):
    for name in "ab":
        hands.pod(name, ["sh", "-c", WITNESS])
        await hands.running(name)
    clock.pass_seconds(1)
    assert steps(hands.log("a"))[0][0] != steps(hands.log("b"))[0][0]


async def test_a_restored_container_goes_on_at_the_cut(hands, cluster, clock):
    source = hands.pod("w", ["sh", "-c", WITNESS], image="nginx")
    await hands.running("w")
    clock.pass_seconds(5)
    snapshot = cluster.runtime.snapshot(source["metadata"]["uid"], source)
    cut = steps(hands.log("w"))[-1][1]
    clock.pass_seconds(3)
    pod = await _restored(hands, snapshot)
    clock.pass_seconds(2)
    own = stamped(hands, "w-restored")
    assert own[:cut] == stamped(hands, "w")[:cut]
    found = steps(line.text.decode() for line in own)
    assert [step for _, step, _ in found] == list(range(1, len(found) + 1))
    assert found == steps(hands.log("w"))[: len(found)]
    assert own[cut].at >= clock.now - 2 * 10**9
    status = pod["status"]["containerStatuses"][0]
    assert status["restartCount"] == 0
    assert re.fullmatch(r"[-0-9]{10}T[:0-9]{8}Z", status["state"]["running"]["startedAt"])


async def test_the_source_stands_as_long_as_the_freeze(hands, cluster, clock):
    source = hands.pod("w", ["sh", "-c", WITNESS])
    await hands.running("w")
    clock.pass_seconds(2)
    cluster.runtime.snapshot(source["metadata"]["uid"], source, freeze=1.0)
    before = len(hands.log("w"))
    clock.pass_seconds(0.9)
    assert len(hands.log("w")) == before
    clock.pass_seconds(1.0)
    assert len(hands.log("w")) > before + 2


async def _cut_with_a_line_too_many(hands, cluster, clock):
    """A witness, its snapshot, and its last step then; what is restored of it begins with one line more."""
    cluster.runtime.repeated_line_every = 1
    source = hands.pod("w", ["sh", "-c", WITNESS])
    await hands.running("w")
    clock.pass_seconds(2)
    snapshot = cluster.runtime.snapshot(source["metadata"]["uid"], source, freeze=0.1)
    cut = steps(hands.log("w"))[-1][1]
    return source, snapshot, cut


@pytest.mark.parametrize("checkpoints_after", [0, 1])
async def test_a_line_may_be_copied_from_after_the_cut(hands, cluster, clock, checkpoints_after):
    """It is the line that the source has printed, however long another checkpoint made it stand before that."""
    source, snapshot, cut = await _cut_with_a_line_too_many(hands, cluster, clock)
    for _ in range(checkpoints_after):
        cluster.runtime.snapshot(source["metadata"]["uid"], source, freeze=0.3)
    clock.pass_seconds(2)
    hands.log("w")
    await _restored(hands, snapshot)
    clock.pass_seconds(1)
    lines = stamped(hands, "w-restored")
    found = [step for _, step, _ in steps(line.text.decode() for line in lines)]
    assert found[cut - 1 : cut + 2] == [cut, cut + 1, cut + 1]
    assert lines[cut] in stamped(hands, "w")
    assert lines[cut + 1] not in stamped(hands, "w")


async def test_where_the_source_has_printed_nothing_since_the_cut_no_line_is_copied(hands, cluster, clock):
    _, snapshot, cut = await _cut_with_a_line_too_many(hands, cluster, clock)
    await _restored(hands, snapshot)
    clock.pass_seconds(1)
    found = [step for _, step, _ in steps(hands.log("w-restored"))]
    assert found[cut - 1 : cut + 2] == [cut, cut + 1, cut + 2]


async def test_a_restored_container_that_ends_is_restored_again(hands, cluster, clock):
    source = hands.pod("w", ["sh", "-c", WITNESS])
    await hands.running("w")
    clock.pass_seconds(2)
    snapshot = cluster.runtime.snapshot(source["metadata"]["uid"], source)
    cut = steps(hands.log("w"))[-1][1]
    pod = await _restored(hands, snapshot)
    clock.pass_seconds(2)
    assert steps(hands.log("w-restored"))[-1][1] > cut + 5
    worker = cluster.kubelet.workers[pod["metadata"]["uid"]]
    worker.containers.kill(worker.containers.mains[0], 1)
    await hands.until(
        lambda: hands.status("w-restored")["containerStatuses"][0]["restartCount"] == 1 and hands.ready("w-restored")
    )
    assert steps(hands.log("w-restored"))[-1][1] in (cut, cut + 1)


async def test_memory_layer_and_counters_come_along_and_the_source_goes_its_own_way(hands, cluster, clock):
    status = "server { listen 80; root /usr/share/nginx/html; location = /nginx_status { stub_status; } }"
    script = f"echo '{status}' > /etc/nginx/conf.d/default.conf; echo marker > /etc/marker"
    source = hands.pod("w", ["sh", "-c", f"{script}; ({WITNESS}) & exec nginx -g 'daemon off;'"], image="nginx")
    await hands.running("w")
    uid = source["metadata"]["uid"]
    clock.pass_seconds(0.1)
    for _ in range(7):
        assert cluster.runtime.http(uid, 80, Request(path="/")).status == 200
    clock.pass_seconds(1)
    snapshot = cluster.runtime.snapshot(uid, source)
    cluster.runtime.container(uid, "main").files.write("/etc/marker", b"changed\n")
    pod = await _restored(hands, snapshot)
    restored = cluster.runtime.container(pod["metadata"]["uid"], "main")
    assert restored.files.read("/etc/marker") == b"marker\n"
    answer = cluster.runtime.http(pod["metadata"]["uid"], 80, Request(path="/nginx_status"))
    assert b" 8 8 8 " in answer.body
    assert answer.headers["Server"].startswith("nginx/")
    assert 2_000_000 < snapshot.size < 4_000_000


async def test_all_containers_are_cut_at_one_moment(hands, cluster, clock):
    containers = [{"name": name, "image": "busybox", "command": ["sh", "-c", WITNESS]} for name in ("a", "b")]
    source = hands.create(kinds.POD, {"metadata": {"name": "two"}, "spec": {"containers": containers}})
    await hands.running("two")
    clock.pass_seconds(4)
    snapshot = cluster.runtime.snapshot(source["metadata"]["uid"], source)
    cuts = [steps(line.text.decode() for line in snapshot.containers[name].log)[-1] for name in ("a", "b")]
    assert abs(cuts[0][1] - cuts[1][1]) <= 1
    assert cuts[0][0] != cuts[1][0]


async def test_what_does_not_run_cannot_be_snapshot(hands, cluster):
    done = hands.pod("done", ["true"], restartPolicy="Never")
    await hands.until(lambda: hands.status("done").get("phase") == "Succeeded")
    with pytest.raises(KeyError):
        cluster.runtime.snapshot(done["metadata"]["uid"])
    objects.delete(cluster, kinds.POD, "test", "done", grace=0)
    with pytest.raises(KeyError):
        cluster.runtime.snapshot(done["metadata"]["uid"])


async def test_what_is_not_emulated_says_so_in_its_log(hands):
    hands.pod("unknown", image="registry.example.com/some/app:1")
    await hands.running("unknown")
    assert hands.log("unknown") == [
        "emulated container: the image's own command is not emulated; a sleeping stand-in runs in its place"
    ]


KEEPER = """
seq 1 1000 > /srv/numbers; seq 1 1000 > /srv/gone; exec 3< /srv/numbers 4> /srv/journal 5< /srv/gone
rm /srv/gone; chmod 600 /srv/journal; n=0
while :; do n=$((n+1)); read -r a <&3; read -r b <&5; echo "$n $a $b" >&4; sleep 0.2; done
"""


async def _restored_keeper(hands, snapshot):
    container = {"name": "main", "image": "alpine", "command": ["sh", "-c", KEEPER]}
    pod = hands.create(kinds.POD, {"metadata": {"name": "again"}, "spec": {"containers": [container]}})
    hands.cluster.runtime.stage(pod["metadata"]["uid"], snapshot)


async def test_a_restored_process_reads_and_writes_its_open_files_on_where_it_was(hands, clock):
    hands.pod("w", ["sh", "-c", KEEPER], image="alpine")
    pod = await hands.running("w")
    clock.pass_seconds(3)
    snapshot = hands.cluster.runtime.snapshot(pod["metadata"]["uid"], pod)
    clock.pass_seconds(2)
    await _restored_keeper(hands, snapshot)
    uid = (await hands.running("again"))["metadata"]["uid"]
    clock.pass_seconds(3)
    files = hands.cluster.runtime.container(uid, "main").files
    lines = files.read("/srv/journal").decode().splitlines()
    assert len(lines) > 25
    assert lines == [f"{n} {n} {n}" for n in range(1, len(lines) + 1)]
    assert files.mode("/srv/journal") == 0o600
    assert not files.exists("/srv/gone")
    of_source = hands.cluster.runtime.container(pod["metadata"]["uid"], "main").files.read("/srv/journal")
    assert len(of_source.splitlines()) > len(lines)


async def test_a_restore_fails_without_a_file_that_was_open(hands, clock):
    hands.pod("w", ["sh", "-c", KEEPER], image="alpine")
    pod = await hands.running("w")
    clock.pass_seconds(1)
    snapshot = hands.cluster.runtime.snapshot(pod["metadata"]["uid"], pod)
    one = snapshot.containers["main"]
    layer = {path: data for path, data in one.layer.items() if path != "/srv/numbers"}
    await _restored_keeper(hands, replace(snapshot, containers={"main": replace(one, layer=layer)}))
    await hands.until(lambda: "criu failed: type RESTORE" in str(hands.get(kinds.POD, "again").get("status")))
