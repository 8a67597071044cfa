"""Whatever comes in, the answer is a refusal in the era's shape: nonsense is never accepted, and nothing breaks."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.propagator_server.conftest import Api
from tests.propagator_server.fake import TOKEN, FakeBackend, served

from propagator_server.app import create_app
from propagator_server.service import SERVICE

MISSING = "0b54a3f6-0000-4000-8000-000000000000"
QUICK = settings(
    max_examples=settings.default.max_examples // 4,  # each is a request
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
NO_OBJECT = ANYTHING.filter(lambda value: not isinstance(value, dict)).map(json.dumps).map(str.encode)
NO_JSON = st.binary(max_size=60).filter(lambda data: not data.lstrip().startswith(b"{"))
NOT_TEXT = ANYTHING.filter(lambda value: value is not None and not isinstance(value, str))
NOT_OBJECT = ANYTHING.filter(lambda value: value is not None and not isinstance(value, dict))
NOT_WORD = st.text(min_size=1, max_size=12).filter(lambda word: word.islower() and len(word) > 11) | NOT_TEXT

FIELDS: dict[tuple[str, str], dict[str, st.SearchStrategy]] = {
    ("POST", "/v2/cluster"): {"cluster_name": NOT_TEXT, "kind": NOT_WORD},
    ("POST", "/v2/checkpoint/pod"): {
        "pod_id": NOT_TEXT,
        "pod_name": NOT_TEXT,
        "namespace": NOT_TEXT,
        "cluster_id": NOT_TEXT,
        "kind": NOT_WORD,
        "reason": NOT_WORD,
        "overrides": NOT_OBJECT,
    },
    ("POST", "/v2/restore/pod"): {
        "action_id": NOT_TEXT | st.text(max_size=8),
        "cluster_id": NOT_TEXT | st.text(min_size=1, max_size=8),
        "reason": NOT_WORD,
        "overrides": NOT_OBJECT,
    },
    ("POST", "/v2/actions/upload"): {"action_id": NOT_TEXT, "status": NOT_WORD, "pod_spec": NOT_OBJECT},
    ("PUT", "/v2/checkpoints/info/{checkpoint}"): {"gpu": NOT_TEXT, "platform": NOT_TEXT, "info": NOT_OBJECT},
    ("POST", "/v2/checkpoints/uploaded/{checkpoint}"): {"restore_path": NOT_TEXT},
    ("POST", "/v2/policy/create"): {
        "cluster_id": NOT_TEXT | st.text(max_size=8),
        "heartbeat_time": ANYTHING.filter(lambda value: not isinstance(value, int) or isinstance(value, bool)),
        "resource_ids": ANYTHING.filter(lambda value: value != []),
        "resource": NOT_WORD,
        "policy_type": NOT_WORD,
    },
    ("POST", "/v1/policy/pipeline/create"): {"pipeline": NOT_OBJECT, "name": NOT_TEXT},
    ("DELETE", "/v2/policy/delete"): {"id": NOT_TEXT | st.text(max_size=8)},
}


class Target:
    """One server for all examples, with something of everything in it."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.action = api.checkpointed()
        self.cluster = api.get("/v2/cluster")[0]["id"]
        self.pod = next(iter(api.backend.known))
        self.checkpoint = api.service.store.checkpoints()[0].id

    def good(self, path: str) -> dict:
        """A body that would be accepted, were it not for what the test puts into it."""
        return {
            "/v2/cluster": {"cluster_name": "other"},
            "/v2/checkpoint/pod": {"pod_id": self.pod},
            "/v2/restore/pod": {"action_id": self.action, "reason": "manual"},
            "/v2/actions/upload": {"action_id": self.action, "status": "ready"},
            "/v2/checkpoints/info/{checkpoint}": {"gpu": "none", "platform": "linux/amd64"},
            "/v1/policy/pipeline/create": {
                "pipeline": {
                    "trigger": {"type": "heartbeat", "config": {"interval_seconds": 3600}},
                    "filter": {"type": "pods", "config": {"cluster_id": self.cluster}},
                    "action": {"type": "checkpoint", "config": {}},
                }
            },
            "/v2/policy/create": {"cluster_id": self.cluster, "heartbeat_time": 3600, "resource_ids": [self.pod]},
        }.get(path, {})

    def send(self, method: str, path: str, data: bytes) -> None:
        """Sends it, and holds that it is refused in shape and changes nothing."""
        before = self.state()
        answer = self.api.ask(method, path.format(checkpoint=self.checkpoint), data=data)
        assert answer.status_code in (400, 404), (answer.status_code, answer.text)
        assert answer.json()["message"]
        assert self.state() == before

    def state(self) -> list:
        store = self.api.service.store
        return [list(store.actions()), list(store.checkpoints()), list(store.policies()), len(store.clusters())]


@pytest.fixture(scope="module", params=["seed", "jan26", "next"])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    backend = FakeBackend()
    app = create_app(backend, era=request.param, token=TOKEN)
    with served(app) as url:
        yield Target(Api(url, backend, request.param, app[SERVICE]))


HOSTILE = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"cluster_name": NaN}',
    b'{"cluster_name": "\\ud800"}',
    b'{"cluster_name": 1' + b"0" * 5000 + b"}",
    b'{"cluster_name": "x", "cluster_name": 3}',
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_body_is_refused(target: Target, data: bytes):
    target.send("POST", "/v2/cluster", data)


@pytest.mark.parametrize(("method", "path"), FIELDS)
@given(data=NO_OBJECT | NO_JSON)
@QUICK
def test_a_body_that_is_no_object_is_refused(target: Target, method: str, path: str, data: bytes):
    if path.endswith("uploaded/{checkpoint}") and not data:
        return
    target.send(method, path, data)


@pytest.mark.parametrize(
    ("method", "path", "field"), [(*key, field) for key, fields in FIELDS.items() for field in fields]
)
@given(data=st.data())
@QUICK
def test_a_field_of_the_wrong_kind_is_refused(target: Target, method: str, path: str, field: str, data: st.DataObject):
    value = data.draw(FIELDS[method, path][field])
    target.send(method, path, json.dumps(target.good(path) | {field: value}).encode())


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v2/checkpoint/status/{}"), ("GET", "/v2/actions/from_pod/{}"), ("PATCH", "/v2/checkpoints/deprecate/{}"),
     ("PUT", "/v2/checkpoints/info/{}"), ("POST", "/v2/checkpoints/uploaded/{}"), ("DELETE", "/v2/cluster/{}"),
     ("GET", "/v1/actions/{}"), ("GET", "/v2/policy/{}/pods")],
)  # fmt: skip
@given(name=st.text(min_size=1, max_size=40).filter(lambda text: text.strip("./") == text))
@QUICK
def test_an_id_that_is_none_is_not_found(target: Target, method: str, path: str, name: str):
    good = json.dumps(target.good("/v2/checkpoints/info/{checkpoint}"))
    try:
        quoted = quote(name, safe="")
    except UnicodeEncodeError:
        return
    answer = target.api.ask(method, path.format(quoted), data=good)
    assert answer.status_code in (400, 404, 405, 501), (answer.status_code, answer.text)
    assert answer.json()["message"]


LISTS = ("actions", "checkpoints", "cluster", "pods", "nodes", "policy/list", "pods/paginated", "events")
NAMES = (
    "limit",
    "offset",
    "sort",
    "ascending",
    "ids",
    "cluster_id",
    "type",
    "kind",
    "id",
    "status",
    "time",
    "resource",
)


@pytest.mark.parametrize("path", LISTS)
@given(query=st.dictionaries(st.sampled_from(NAMES), st.text(max_size=12), max_size=3))
@QUICK
def test_a_query_is_answered_or_refused(target: Target, path: str, query: dict[str, str]):
    try:
        answer = target.api.ask("GET", f"/v2/{path}", params=query)
    except UnicodeEncodeError:
        return
    assert answer.status_code in (200, 400, 404, 501), (answer.status_code, answer.text)
    answer.json()
