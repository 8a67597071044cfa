"""Reviews: may I, may he, who am I, whose token is it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..kinds import (
    LOCAL_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_REVIEW,
    SELF_SUBJECT_RULES_REVIEW,
    SUBJECT_ACCESS_REVIEW,
    TOKEN_REVIEW,
    Kind,
)
from ..store import timestamp
from . import answers, bodies, verbs
from .access import Action, Tokens, allowed, rules
from .context import MASTERS, Call, User
from .status import method_not_allowed

Object = dict[str, Any]
_REVIEWS = (
    SELF_SUBJECT_ACCESS_REVIEW, SELF_SUBJECT_RULES_REVIEW, SELF_SUBJECT_REVIEW, SUBJECT_ACCESS_REVIEW,
    LOCAL_SUBJECT_ACCESS_REVIEW, TOKEN_REVIEW,
)  # fmt: skip


def is_review(kind: Kind) -> bool:
    """Whether objects of the kind are answered and not stored."""
    return kind in _REVIEWS


async def answer(call: Call, request: web.Request, tokens: Tokens) -> web.StreamResponse:
    """The review with its status."""
    if request.method != "POST" or call.name:
        raise method_not_allowed()
    verbs.prepare(call, request, "CreateOptions")
    review = bodies.read(await request.read(), request.headers.get("Content-Type", ""), call)
    if call.kind is SELF_SUBJECT_REVIEW:
        review["metadata"]["creationTimestamp"] = timestamp()
    review["status"] = _status(call, review, tokens)
    head = {"kind": call.kind.kind, "apiVersion": call.kind.api_version}
    return answers.answer({**head, **review}, request, code=201)


def _status(call: Call, review: Object, tokens: Tokens) -> Object:
    spec = review.get("spec") or {}
    if call.kind is SELF_SUBJECT_REVIEW:
        return {"userInfo": user_info(call.user)}
    if call.kind is SELF_SUBJECT_RULES_REVIEW:
        return _rules(call, spec.get("namespace") or "")
    if call.kind is TOKEN_REVIEW:
        user = tokens.user(spec.get("token") or "")
        return (
            {"authenticated": True, "user": user_info(user)} if user else {"user": {}, "error": "invalid bearer token"}
        )
    user = call.user
    if call.kind is not SELF_SUBJECT_ACCESS_REVIEW:
        user = User(spec.get("user") or "", tuple(spec.get("groups") or ()))
    yes = allowed(call.cluster.store, user, _action(spec))
    if not yes or MASTERS in user.groups:
        return {"allowed": yes}
    return {"allowed": True, "reason": "RBAC: allowed by a binding of the user"}


def _action(spec: Object) -> Action:
    path = spec.get("nonResourceAttributes")
    if path:
        return Action(path.get("verb", ""), path=path.get("path", ""))
    asked = spec.get("resourceAttributes") or {}
    resource = asked.get("resource", "")
    if asked.get("subresource"):
        resource += "/" + asked["subresource"]
    return Action(
        asked.get("verb", ""), asked.get("group", ""), resource, asked.get("namespace", ""), asked.get("name", "")
    )


def user_info(user: User) -> Object:
    """UserInfo of a user."""
    info: Object = {"username": user.name}
    if user.uid:
        info["uid"] = user.uid
    info["groups"] = list(user.groups)
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra}
    return info


def _rules(call: Call, namespace: str) -> Object:
    everything = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
    resource_rules: list[Object] = everything if MASTERS in call.user.groups else []
    path_rules: list[Object] = [{"verbs": ["*"], "nonResourceURLs": ["*"]}] if MASTERS in call.user.groups else []
    for rule in rules(call.cluster.store, call.user, namespace):
        if rule.get("nonResourceURLs"):
            path_rules.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
        else:
            resource_rules.append({k: v for k, v in rule.items() if k != "nonResourceURLs"})
    return {"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": False}
