"""What is missing on a host is said, all of it, in sentences that name it."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path

import pytest

from harness.failures import OperationFailed
from K3sLibrary.native import cgroups, preflight
from K3sLibrary.native.cgroups import Hierarchy

HYBRID = """\
24 20 0:21 / /sys/fs/cgroup ro,nosuid shared:8 - tmpfs tmpfs ro,mode=755
25 24 0:22 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate
26 24 0:23 / /sys/fs/cgroup/systemd rw,nosuid shared:10 - cgroup cgroup rw,xattr,name=systemd
27 24 0:24 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:11 - cgroup cgroup rw,cpu,cpuacct
28 24 0:25 / /sys/fs/cgroup/cpuset rw,nosuid shared:11 - cgroup cgroup rw,cpuset,clone_children
"""
UNIFIED = "24 20 0:21 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
BASE = Path("/sys/fs/cgroup")


def test_hierarchies_of_a_hybrid_host() -> None:
    found = cgroups.hierarchies(HYBRID)
    assert found == [
        Hierarchy(BASE / "unified", "cgroup2"),
        Hierarchy(BASE / "systemd", "cgroup", "name=systemd"),
        Hierarchy(BASE / "cpu,cpuacct", "cgroup", "cpu,cpuacct"),
        Hierarchy(BASE / "cpuset", "cgroup", "cpuset"),
    ]
    assert [one.folder for one in found] == ["unified", "systemd", "cpu,cpuacct", "cpuset"]


def test_the_hierarchy_of_a_unified_host() -> None:
    assert cgroups.hierarchies(UNIFIED) == [Hierarchy(BASE, "cgroup2")]
    assert cgroups.hierarchies(UNIFIED)[0].folder == ""


def test_missing_controllers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    some = [Hierarchy(BASE / "cpu,cpuacct", "cgroup", "cpu,cpuacct"), Hierarchy(BASE / "pids", "cgroup", "pids")]
    monkeypatch.setattr(cgroups, "hierarchies", lambda: some)
    assert cgroups.missing() == ["the cgroup controllers cpuset, memory are missing"]
    monkeypatch.setattr(cgroups, "hierarchies", list)
    assert cgroups.missing() == ["no cgroups are mounted at /sys/fs/cgroup"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"cgroup.subtree_control": "", "cgroup.procs": "1\n"}, ""),
        ({"cgroup.type": "domain", "cgroup.subtree_control": "cpu cpuset memory pids io", "cgroup.procs": "1\n"}, ""),
        ({"cgroup.type": "domain", "cgroup.subtree_control": "", "cgroup.procs": ""}, ""),
        (
            {"cgroup.type": "domain", "cgroup.subtree_control": "cpu", "cgroup.procs": "1\n"},
            "no cpuset, memory, pids on",
        ),
    ],
)
def test_a_container_that_hands_no_controllers_on_is_told(files: dict[str, str], words: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    told = cgroups.undelegated(tmp_path)
    assert words in told
    assert bool(told) == bool(words)


def test_kernel_options_are_read_from_where_they_are(tmp_path: Path) -> None:
    packed, plain = tmp_path / "config.gz", tmp_path / "config"
    packed.write_bytes(gzip.compress(b"CONFIG_EPOLL=y\n# CONFIG_UNIX_DIAG is not set\nCONFIG_INET_DIAG=m\n"))
    plain.write_text("CONFIG_EPOLL=n\n")
    assert preflight.kernel_options([tmp_path / "none", packed, plain]) == {"EPOLL": "y", "INET_DIAG": "m"}
    assert preflight.kernel_options([plain]) == {"EPOLL": "n"}
    assert preflight.kernel_options([tmp_path / "none"]) is None


def test_what_the_kernel_lacks_for_checkpoints_is_named() -> None:
    have = dict.fromkeys(preflight.FOR_CHECKPOINTS, "y") | {"UNIX_DIAG": "m"}
    assert preflight.checkpoints(have) == []
    assert preflight.checkpoints(None) == []
    del have["CHECKPOINT_RESTORE"]
    have["FHANDLE"] = "n"
    (told,) = preflight.checkpoints(have)
    assert told == "the kernel was built without CONFIG_CHECKPOINT_RESTORE, CONFIG_FHANDLE, which CRIU needs"


@pytest.mark.parametrize(
    ("script", "told"), [("exit 0", []), ("echo 'Error (criu): no vdso' >&2; exit 1", ["no vdso"])]
)
def test_the_hosts_own_criu_is_asked(
    script: str, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    criu = tmp_path / "criu"
    criu.write_text(f"#!/bin/sh\n{script}\n")
    criu.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    found = preflight.doubts()
    assert len(found) == len(told)
    assert all(word in line for word, line in zip(told, found, strict=True))


def test_room_is_looked_at_where_the_files_will_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plenty = "MemTotal: 9000000 kB\nMemAvailable: 8000000 kB\n"
    monkeypatch.setattr(preflight, "DISK", 1)
    assert preflight.room(tmp_path / "not" / "yet", plenty) == []
    monkeypatch.setattr(preflight, "DISK", 1 << 60)
    (told,) = preflight.room(tmp_path / "not" / "yet", plenty)
    assert told.startswith(f"{tmp_path} has ")
    assert "K3S_DIR" in told
    (told,) = preflight.room(tmp_path / "x", "MemAvailable: 1024 kB\n")[1:]
    assert told == "1 MiB of memory are available, and 1024 MiB are needed"


def test_a_path_through_a_file_is_no_place(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert preflight.room(file / "clusters", "")[0].startswith(f"{file} is no directory")


def test_everything_that_is_missing_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(preflight.cgroups, "missing", lambda: ["no cgroups"])
    monkeypatch.setattr(preflight, "kernel_options", dict)
    monkeypatch.setattr(preflight, "MEMORY", 1 << 60)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OperationFailed) as failure:
        preflight.check(tmp_path)
    for words in ("not root's", "ip, mount, umount", "iptables nor nft", "no cgroups", "CHECKPOINT_RESTORE", "memory"):
        assert words in failure.value.seen
    assert failure.value.cause.name == "host-unfit"


def test_other_systems_are_refused_with_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert preflight.missing(tmp_path) == ["it runs darwin, and a native k3s needs Linux"]
