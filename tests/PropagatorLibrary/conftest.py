from collections.abc import Callable

import pytest
from tests.propagator_server.fake import TOKEN, FakeBackend, propagator

from harness.waiting import Done, Pace, Pending, wait_until
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.lost import Caution
from PropagatorLibrary.sending import Patience
from PropagatorLibrary.transport import open_session

QUICK = Patience(least=0.01, most=0.05, total=2.0)
FAST = Pace(least=0.005, most=0.02)
SHORT = Caution(settle=0.3, sends=3)


def connect(url: str, token: str = TOKEN, *, timeouts: tuple[float, float] = (2.0, 5.0)) -> PropagatorClient:
    return PropagatorClient(open_session(url, token, timeouts=timeouts), url, patience=QUICK, caution=SHORT)


def eventually(look: Callable[[], bool]) -> None:
    """Waits until it is so; fails when it is not within 60 s, on a busy machine, too."""
    wait_until(lambda: Done(None) if look() else Pending("not so"), timeout=60, expected="it to become so", pace=FAST)


@pytest.fixture(params=["seed", "jan26", "next"])
def era(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def client(backend: FakeBackend, era: str):
    """A client of a propagator of each era in turn."""
    with propagator(backend, era) as url:
        yield connect(url)
