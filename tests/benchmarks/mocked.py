"""`python mocked.py`: kmock's emulator of the Kubernetes API in a process of its own; prints its URL.

It keeps objects and streams their changes, and does nothing else: no validation, no controllers, no TLS. So it is what
an API in Python costs at least. It is not a requirement: `pip install kmock` for the comparison.
"""

from __future__ import annotations

import asyncio

import kmock

VERBS = ["get", "list", "watch", "create", "patch", "delete"]


async def serve() -> None:
    """Until the process is ended."""
    async with kmock.KubernetesEmulator() as emulator, kmock.Server(emulator) as server:
        emulator.resources["v1/configmaps"] = {
            "kind": "ConfigMap",
            "singular": "configmap",
            "verbs": VERBS,
            "namespaced": True,
        }
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
