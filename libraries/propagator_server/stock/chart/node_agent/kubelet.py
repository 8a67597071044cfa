"""The agent's own kubelet: its checkpoint endpoint, which the right to create `nodes/checkpoint` opens."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import PurePosixPath

from .settings import Settings

GRACE = 30.0
"""Seconds that a kubelet has, beside its runtime's, to answer."""


class KubeletError(Exception):
    """The kubelet refused or failed; the text is its own. `status` is the HTTP status, 0 where none came."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def checkpoint(settings: Settings, namespace: str, pod: str, container: str) -> str:
    """Asks for a checkpoint of a container; the file name of the archive. Raises KubeletError."""
    url = f"https://{settings.kubelet}/checkpoint/{namespace}/{pod}/{container}?timeout={settings.dump_timeout}"
    try:
        token = (settings.account / "token").read_text().strip()
        request = urllib.request.Request(url, method="POST", headers={"Authorization": f"Bearer {token}"})
        limit = settings.dump_timeout + GRACE
        with urllib.request.urlopen(request, timeout=limit, context=_tls()) as answer:  # noqa: S310
            (path,) = json.load(answer)["items"]
    except urllib.error.HTTPError as refused:
        text = refused.read(65536).decode(errors="replace").strip()
        raise KubeletError(refused.code, text or str(refused.reason)) from None
    except (KeyError, TypeError, ValueError) as wrong:
        raise KubeletError(200, f"its answer has no path of an archive ({wrong!r})") from None
    except (OSError, HTTPException) as failed:
        reason = getattr(failed, "reason", failed)
        raise KubeletError(0, f"no answer from {settings.kubelet}: {reason}") from None
    return PurePosixPath(path).name


def _tls() -> ssl.SSLContext:
    """A kubelet's certificate is its own unless somebody gave it another one; it is asked on its own node only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
