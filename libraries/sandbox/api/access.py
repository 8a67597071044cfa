"""Who is it, and may he: bearer tokens and RBAC.

Source: Kubernetes plugin/pkg/auth/authorizer/rbac and
k8s.io/apiserver pkg/endpoints/handlers/responsewriters (errors.go).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..kinds import CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING, SERVICE_ACCOUNT, Kind
from .context import MASTERS, User
from .status import ApiError, failure, of_resource

if TYPE_CHECKING:
    from ..store import Store

Object = dict[str, Any]
AUDIENCE = "https://kubernetes.default.svc"
_OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version", "/api", "/apis", "/openapi")
_CREDENTIAL = "authentication.kubernetes.io/credential-id"


@dataclass(frozen=True)
class Action:
    """What is asked: a verb on a resource, or on a path."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


_POD_TOKEN_SECONDS = 3607
"""For so long the service account admission asks for a pod's token."""


class Tokens:
    """The admin's token, and tokens of service accounts that the server has signed."""

    def __init__(self, admin: str, store: Store) -> None:
        self._admin = admin
        self._store = store
        self._key = secrets.token_bytes(32)

    def user(self, token: str) -> User | None:
        """Whose token it is; None when it is nobody's."""
        if hmac.compare_digest(token.encode(), self._admin.encode()):
            return User("kubernetes-admin", (MASTERS, "system:authenticated"))
        claims = self._claims(token)
        if claims is None or claims["exp"] < time.time():
            return None
        namespace, name = claims["kubernetes.io"]["namespace"], claims["kubernetes.io"]["serviceaccount"]["name"]
        account = self._store.get(SERVICE_ACCOUNT, namespace, name)
        if account is None or account["metadata"]["uid"] != claims["kubernetes.io"]["serviceaccount"]["uid"]:
            return None
        return service_account_user(account, ((_CREDENTIAL, (f"JTI={claims['jti']}",)),))

    def issue(self, account: Object, seconds: int, audiences: list[str]) -> str:
        """A token of a service account (a JWT signed by this server) that is good for so many seconds."""
        metadata, now = account["metadata"], int(time.time())
        claims = {
            "aud": audiences,
            "exp": now + seconds,
            "iat": now,
            "iss": AUDIENCE,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {
                "namespace": metadata["namespace"],
                "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]},
            },
            "nbf": now,
            "sub": f"system:serviceaccount:{metadata['namespace']}:{metadata['name']}",
        }
        signed = f"{_encoded({'alg': 'HS256'})}.{_encoded(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def of_pod(self, namespace: str, name: str) -> str:
        """The token that a pod of this service account finds in its volume; empty when there is no such account."""
        account = self._store.get(SERVICE_ACCOUNT, namespace, name)
        return self.issue(account, _POD_TOKEN_SECONDS, [AUDIENCE]) if account else ""

    def _signature(self, signed: str) -> str:
        digest = hmac.new(self._key, signed.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def _claims(self, token: str) -> Object | None:
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        body = signed.rpartition(".")[2]
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))  # type: ignore[no-any-return]


def _encoded(value: Object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def service_account_user(account: Object, extra: tuple[tuple[str, tuple[str, ...]], ...] = ()) -> User:
    """The user that a service account is."""
    namespace, name = account["metadata"]["namespace"], account["metadata"]["name"]
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return User(f"system:serviceaccount:{namespace}:{name}", groups, account["metadata"]["uid"], extra)


def allowed(store: Store, user: User, action: Action) -> bool:
    """Whether RBAC lets the user do it."""
    if MASTERS in user.groups:
        return True
    if action.path:
        if action.verb == "get" and action.path.startswith(_OPEN_PATHS):
            return True
        return any(_path_rule(rule, action) for rule in rules(store, user, ""))
    if action.resource in _OWN_REVIEWS and action.verb == "create":
        return True
    return any(_resource_rule(rule, action) for rule in rules(store, user, action.namespace))


_OWN_REVIEWS = ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews")


def rules(store: Store, user: User, namespace: str) -> Iterator[Object]:
    """The rules that hold for a user in a namespace ("": cluster-wide)."""
    for binding in store.list(CLUSTER_ROLE_BINDING):
        if _binds(binding, user, ""):
            yield from _role_rules(store, binding["roleRef"], "")
    for binding in store.list(ROLE_BINDING, namespace) if namespace else ():
        if _binds(binding, user, namespace):
            yield from _role_rules(store, binding["roleRef"], namespace)


def _role_rules(store: Store, reference: Object, namespace: str) -> list[Object]:
    is_cluster = reference["kind"] == "ClusterRole"
    role = store.get(CLUSTER_ROLE if is_cluster else ROLE, None if is_cluster else namespace, reference["name"])
    return (role or {}).get("rules") or []


def _binds(binding: Object, user: User, namespace: str) -> bool:
    for subject in binding.get("subjects") or []:
        kind, name = subject.get("kind"), subject.get("name")
        if kind == "ServiceAccount":
            place = subject.get("namespace") or namespace
            if user.name == f"system:serviceaccount:{place}:{name}":
                return True
        elif (kind == "User" and name == user.name) or (kind == "Group" and name in user.groups):
            return True
    return False


def _resource_rule(rule: Object, action: Action) -> bool:
    resources = rule.get("resources") or []
    subresource = action.resource.partition("/")[2]
    names = rule.get("resourceNames") or []
    return (
        _has(rule.get("verbs"), action.verb)
        and _has(rule.get("apiGroups"), action.group)
        and (_has(resources, action.resource) or (bool(subresource) and f"*/{subresource}" in resources))
        and (not names or action.name in names)
    )


def _has(values: list[str] | None, wanted: str) -> bool:
    return "*" in (values or ()) or wanted in (values or ())


def _path_rule(rule: Object, action: Action) -> bool:
    paths = rule.get("nonResourceURLs") or []
    hit = any(path == action.path or (path.endswith("*") and action.path.startswith(path[:-1])) for path in paths)
    return hit and _has(rule.get("verbs"), action.verb)


def refused(user: User, action: Action, kind: Kind | None) -> ApiError:
    """403 in the authorizer's words."""
    if action.path or kind is None:
        message = f'forbidden: User "{user.name}" cannot {action.verb} path "{action.path}"'
        return failure(403, "Forbidden", message, {})
    where = f'in the namespace "{action.namespace}"' if action.namespace else "at the cluster scope"
    named = f'{kind.resource} "{action.name}"' if action.name else kind.resource
    why = f'User "{user.name}" cannot {action.verb} resource "{action.resource}" in API group "{action.group}" {where}'
    return failure(403, "Forbidden", f"{named} is forbidden: {why}", of_resource(kind, action.name))
