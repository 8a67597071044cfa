from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from tests.propagator_server.fake import TOKEN, FakeBackend, served

from harness.waiting import Done, Pace, Pending, wait_until
from propagator_server.app import create_app
from propagator_server.service import SERVICE, Service

FAST = Pace(least=0.005, most=0.02)


@dataclass
class Api:
    """The API as curl sees it."""

    url: str
    backend: FakeBackend
    era: str
    service: Service | None = None

    def switch(self, settings: dict[str, Any]) -> None:
        """Changes the server's settings while it runs."""
        assert self.service is not None
        self.service.change(settings)

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"} | options.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, timeout=60, **options)

    def get(self, path: str, **options: Any) -> Any:
        response = self.ask("GET", path, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def new_id(self, path: str, **body: Any) -> str:
        response = self.ask("POST", path, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def checkpointed(self, *, containers: tuple[str, ...] = ("web",)) -> str:
        """The action of a checkpoint that has ended well."""
        pod = self.backend.add_pod(self.new_id("/v2/cluster", cluster_name="e2e"), containers=containers)
        return self.ended(self.new_id("/v2/checkpoint/pod", pod_id=pod.uid))

    def checkpointed_without_answer(self) -> str:
        """The action of a checkpoint that nobody is at work on any more."""
        assert self.service is not None
        pod = self.backend.add_pod(self.new_id("/v2/cluster", cluster_name="e2e"))
        action = self.new_id("/v2/checkpoint/pod", pod_id=pod.uid)
        self.eventually(lambda: not self.service.operations.is_running(action))
        return action

    def ended(self, action_id: str) -> str:
        self.eventually(lambda: self.get(f"/v2/checkpoint/status/{action_id}")["status"] in ("ready", "error"))
        return action_id

    def eventually(self, look: Callable[[], bool]) -> None:
        wait_until(lambda: Done(None) if look() else Pending("not so"), timeout=60, expected="it to be so", pace=FAST)


@pytest.fixture(params=["seed", "jan26", "next"])
def api(request: pytest.FixtureRequest):
    """Each era in turn, or those that a test names by `@only(...)`."""
    backend = FakeBackend()
    app = create_app(backend, era=request.param, token=TOKEN)
    with served(app) as url:
        yield Api(url, backend, request.param, app[SERVICE])


def only(*eras: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("api", eras, indirect=True)
