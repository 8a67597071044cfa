"""Base images are found in containerd's content store by what checkpoints call them, where they are whole."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from propagator_server.stock.chart.node_agent.content import Content


def put(root: Path, data: bytes) -> str:
    """Stores a blob; its digest."""
    folder = root / "blobs" / "sha256"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(data).hexdigest()
    (folder / digest).write_bytes(data)
    return f"sha256:{digest}"


def manifest(root: Path, name: str) -> tuple[str, str, str]:
    """Stores an image: the digests of its manifest, its config and its layer."""
    config, layer = put(root, f"config of {name}".encode()), put(root, f"layer of {name}".encode())
    content: dict[str, Any] = {"config": {"digest": config}, "layers": [{"digest": layer}]}
    return put(root, json.dumps(content).encode()), config, layer


def test_a_repository_digest_is_the_manifest(tmp_path: Path) -> None:
    found, _, _ = manifest(tmp_path, "nginx")
    assert Content(tmp_path).manifest_of(f"docker.io/library/nginx@{found}") == found


def test_an_image_id_is_looked_for_in_the_manifests(tmp_path: Path) -> None:
    manifest(tmp_path, "other")
    found, config, _ = manifest(tmp_path, "side-loaded")
    assert Content(tmp_path).manifest_of(config) == found


def test_of_an_index_one_platform_is_enough(tmp_path: Path) -> None:
    found, _, _ = manifest(tmp_path, "nginx")
    index = put(tmp_path, json.dumps({"manifests": [{"digest": "sha256:" + "0" * 64}, {"digest": found}]}).encode())
    assert Content(tmp_path).manifest_of(f"nginx@{index}") == index


def test_an_image_whose_layers_were_discarded_is_not_offered(tmp_path: Path) -> None:
    found, _, layer = manifest(tmp_path, "nginx")
    (tmp_path / "blobs" / "sha256" / layer.removeprefix("sha256:")).unlink()
    assert Content(tmp_path).manifest_of(f"nginx@{found}") is None


def test_what_is_unknown_is_none(tmp_path: Path) -> None:
    for reference in ("", "nginx", "nginx:1", "nginx@sha256:12", f"nginx@sha256:{'0' * 64}", f"sha256:{'0' * 64}"):
        assert Content(tmp_path).manifest_of(reference) is None
