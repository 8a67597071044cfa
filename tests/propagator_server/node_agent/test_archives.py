"""An archive that cannot be restored from is known for what it is; of one that can, what it holds is told."""

from __future__ import annotations

import io
import json
import re
import struct
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from propagator_server.stock.chart.node_agent import criu, image
from propagator_server.stock.chart.node_agent.archives import BrokenArchiveError, examine
from sandbox.stock.criu_images import images

SPEC = {"mounts": [{"destination": "/proc", "type": "proc"}], "process": {}}
STATUS = {"labels": {"io.kubernetes.pod.uid": "uid"}, "mounts": [{"container_path": "/data"}]}
CONFIG = {"checkpointedTime": "2026-11-24T21:36:20.123456789Z", "rootfsImageRef": "docker.io/library/nginx@sha256:1"}


def files(memory: bytes = b"memory") -> dict[str, bytes]:
    """The files of an archive as containerd writes them."""
    found = {f"checkpoint/{name}": data for name, data in images(memory, [80]).items()}
    dumps = {"config.dump": CONFIG, "spec.dump": SPEC, "status.dump": STATUS}
    return found | {name: json.dumps(value).encode() for name, value in dumps.items()}


def written(folder: Path, content: dict[str, bytes]) -> Path:
    """An archive with these files."""
    path = folder / "archive.tar"
    with tarfile.open(path, "w:") as archive:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_a_whole_archive_tells_what_is_in_it(tmp_path: Path) -> None:
    path = written(tmp_path, files())
    found = examine(path)
    assert (found.size, found.pod_uid) == (path.stat().st_size, "uid")
    shown = found.shown()
    assert shown["volumes"] == ["/data"] and shown["checkpointed"] == CONFIG["checkpointedTime"]
    assert [(each["address"], each["port"], each["state"]) for each in shown["sockets"]] == [("0.0.0.0", 80, 10)]


@pytest.mark.parametrize(
    "name",
    ["config.dump", "spec.dump", "status.dump", "checkpoint/inventory.img", "checkpoint/pages-1.img"],
)
def test_a_file_without_which_nothing_is_restored_is_missed(name: str, tmp_path: Path) -> None:
    content = files()
    del content[name]
    with pytest.raises(BrokenArchiveError, match=re.escape(f"lacks {name.replace('-1', '-*')}")):
        examine(written(tmp_path, content))


def test_an_archive_of_crio_says_in_its_spec_what_containerds_says_in_its_status(tmp_path: Path) -> None:
    content = files()
    del content["status.dump"]
    annotations = {"io.kubernetes.cri-o.ContainerName": "main", "io.kubernetes.pod.uid": "uid"}
    paths = ("/data", "/etc/hosts", "/dev/shm", "/etc/resolv.conf", "/run/.containerenv", "/run/secrets/x")  # noqa: S108
    mounts = [{"destination": path, "type": "bind"} for path in paths]
    spec = {"annotations": annotations, "mounts": [*mounts, {"destination": "/proc", "type": "proc"}]}
    content |= {"spec.dump": json.dumps(spec).encode(), "bind.mounts": b"[]"}
    found = examine(written(tmp_path, content))
    assert (found.pod_uid, found.shown()["volumes"]) == ("uid", ["/data", "/etc/hosts"])


def test_pages_that_are_too_few_are_noticed(tmp_path: Path) -> None:
    content = files(b"x" * 9000)
    content["checkpoint/pages-1.img"] = content["checkpoint/pages-1.img"][:4096]
    with pytest.raises(BrokenArchiveError, match=r"needs 12288 bytes of pages-1.img, and there are 4096"):
        examine(written(tmp_path, content))


def test_an_archive_that_is_cut_anywhere_is_noticed(tmp_path: Path) -> None:
    whole = written(tmp_path, files()).read_bytes()
    cut = tmp_path / "cut.tar"
    end = whole.rstrip(b"\0")
    for size in [*range(0, len(end), 512), len(end) - 1, len(end) - 700]:
        cut.write_bytes(whole[:size])
        with pytest.raises(BrokenArchiveError):
            examine(cut)


def test_json_that_is_none_and_images_that_are_none_are_noticed(tmp_path: Path) -> None:
    with pytest.raises(BrokenArchiveError, match=r"config\.dump in the archive is no JSON"):
        examine(written(tmp_path, files() | {"config.dump": b"{"}))
    with pytest.raises(BrokenArchiveError, match=r"files\.img in the archive is broken"):
        examine(written(tmp_path, files() | {"checkpoint/files.img": b"\0" * 40}))


@given(st.binary(max_size=200))
def test_whatever_stands_in_an_image_is_read_or_refused(data: bytes) -> None:
    head = struct.pack("<II", criu.COMMON_MAGIC, criu.FILES_MAGIC)
    for content in (data, head + data, head + struct.pack("<I", len(data)) + data):
        try:
            criu.open_files(content)
        except criu.BrokenImageError:
            continue


def test_an_open_file_and_a_v6_socket_are_read() -> None:
    reg = b"\x08\x01\x10\x00\x18\x00\x32\x09/data/log\x40\x03"
    entry = b"\x08\x01\x10\x01\x1a" + bytes([len(reg)]) + reg
    words = b"".join(b"\x58" + (b"\x80\x80\x80\x08" if number == 3 else b"\x00") for number in range(4))
    isk = b"\x08\x02\x10\x03\x18\x0a\x20\x01\x28\x06\x30\x0a\x38\x50\x40\x00" + words
    other = b"\x08\x04\x10\x02\x22" + bytes([len(isk)]) + isk
    data = struct.pack("<II", criu.COMMON_MAGIC, criu.FILES_MAGIC)
    data += b"".join(struct.pack("<I", len(each)) + each for each in (entry, other))
    found, sockets = criu.open_files(data)
    assert found == [criu.OpenFile("/data/log", 3)]
    assert [(each.address, each.port, each.state) for each in sockets] == [("::1", 80, 10)]


def test_the_image_is_the_archive_itself_under_both_runtimes_annotations(tmp_path: Path) -> None:
    found = examine(written(tmp_path, files()))
    built = image.build(found, "main", "amd64")
    manifest = json.loads(built.manifest)
    assert manifest["layers"] == [
        {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": found.digest, "size": found.size}
    ]
    assert manifest["annotations"] == {
        "org.criu.checkpoint.container.name": "main",
        "io.kubernetes.cri-o.annotations.checkpoint.name": "main",
    }
    config = json.loads(built.blobs[manifest["config"]["digest"]])
    assert config["rootfs"]["diff_ids"] == [found.digest] and config["architecture"] == "amd64"


def test_another_reference_of_the_base_image_is_a_layer_of_its_own(tmp_path: Path) -> None:
    built = image.build(examine(written(tmp_path, files())), "main", "arm64", "localhost:5999/base/nginx@sha256:2")
    layers = json.loads(built.manifest)["layers"]
    with tarfile.open(fileobj=io.BytesIO(built.blobs[layers[1]["digest"]])) as archive:
        (member,) = archive.getmembers()
        content = archive.extractfile(member)
        assert content and member.name == "config.dump"
        assert json.load(content) == CONFIG | {"rootfsImageRef": "localhost:5999/base/nginx@sha256:2"}
