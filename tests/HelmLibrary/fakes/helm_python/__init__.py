"""A library in the place of the wheel, which does what FAKE_HELM says: the child's manners are tested without Helm."""

from __future__ import annotations

import enum
import os
import threading
import time
from typing import Any

MODE = os.environ["FAKE_HELM"]


class ErrorCode(enum.IntEnum):
    CANCELLED = -6
    RENDER = -23


class HelmError(Exception):
    def __init__(self, words: str, code: int | None) -> None:
        super().__init__(words)
        self.code = code


class HelmContext:
    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def cancel(self) -> None:
        self.cancelled.set()


class Config:
    def __init__(self, **options: Any) -> None:
        self.options = options

    def __enter__(self) -> Config:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def install(self, *, context: HelmContext, **given: Any) -> None:
        self.given = given
        if MODE == "hang":
            context.cancelled.wait()
            raise HelmError("context canceled", ErrorCode.CANCELLED)
        if MODE == "stubborn":
            time.sleep(600)
        if MODE == "crash":
            os.write(2, b"fatal error: unexpected signal\n")
            os._exit(2)
        if MODE == "refuse":
            raise HelmError("execution error at (t.yaml:1:1): url is missing", ErrorCode.RENDER)
        os.write(1, b"chatter of the Go side\n")

    def get_all(self, release: str) -> dict[str, Any]:
        summary = {
            "name": release,
            "namespace": self.options["namespace"],
            "revision": 1,
            "status": "deployed",
            "chart_name": "given",
            "chart_version": str(self.given["values"]),
            "manifest": "kind: Given",
        }
        return {"summary": summary, "info": {"description": str(sorted(self.given))}}


def values_from_yaml(text: str) -> dict[str, Any]:
    return {"from_file": text.strip(), "both": {"file": 1, "own": 1}}


def helm_sdk_version() -> str:
    return "v4.0.0-fake"
