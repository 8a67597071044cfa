"""Asking the agents: what takes long is asked again where a gateway cut the connection, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from propagator_server.stock import agents as agents_module
from propagator_server.stock.agents import Agent, Agents
from propagator_server.stock.kube import KubeError

Object = dict[str, Any]
AGENT = Agent("a", "node-agent-x", "10.0.0.1:5998")
CUT = KubeError(504, "Gateway Timeout")


class Cluster:
    """An API server, as far as it is asked here; answers to POST come one after the other."""

    def __init__(self, *answers: Object | KubeError) -> None:
        self.answers, self.asked = list(answers), 0

    async def find(self, _: str) -> Object:
        """The release's ConfigMap."""
        return {"data": {"propagator": "stock", "cluster-id": "c", "dump-timeout": "900"}}

    async def get(self, _: str) -> Object:
        """The agents' Secret."""
        return {"data": {"token": "eA=="}}

    async def request(self, *_: object, **given: object) -> Object:
        """Is counted."""
        assert given["timeout"] == 5 * 900
        self.asked += 1
        answer = self.answers.pop(0)
        if isinstance(answer, KubeError):
            raise answer
        return answer


async def test_what_a_gateway_cut_off_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents_module, "SILENCE", 0.0)
    cluster = Cluster(CUT, KubeError(0, "Server disconnected"), {"id": "1"})
    assert await Agents(cluster, "n").take(AGENT, {"id": "1"}) == {"id": "1"}  # type: ignore[arg-type]
    assert cluster.asked == 3


@pytest.mark.parametrize(("silence", "failure"), [(20.0, CUT), (0.0, KubeError(503, "connection refused"))])
async def test_what_fails_at_once_or_of_itself_is_not(
    silence: float, failure: KubeError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents_module, "SILENCE", silence)
    cluster = Cluster(failure)
    with pytest.raises(KubeError, match=f"node agent on a: {failure}"):
        await Agents(cluster, "n").take(AGENT, {"id": "1"})  # type: ignore[arg-type]
    assert cluster.asked == 1
