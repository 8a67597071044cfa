"""Stages, with and without Cedana on them."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
import yaml
from tests.sandbox.faults.stage import Stage, options

from sandbox.server import Sandbox


@asynccontextmanager
async def staged(**changes: Any) -> AsyncIterator[Stage]:
    """A stage with these options of the sandbox."""
    sandbox = Sandbox(options(**changes))
    facts = await sandbox.start()
    server, trust = _reached(Path(facts["kubeconfig"]))
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
            yield Stage(sandbox, facts, session, server, trust)
    finally:
        await sandbox.stop()


def _reached(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    cluster = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    return cluster["server"], ssl.create_default_context(cadata=authority)


@pytest_asyncio.fixture
async def bare() -> AsyncIterator[Stage]:
    """Two nodes, without Cedana."""
    async with staged() as stage:
        yield stage


@pytest_asyncio.fixture
async def stage(bare: Stage) -> Stage:
    """Two nodes, with Cedana at work."""
    await bare.install()
    return bare
