"""Which kinds a cluster serves: asked for one group and version when one of its kinds is needed.

The official client's own discovery asks for every group, and takes an answer that is missing or no JSON for a group
without kinds: a passing failure would come out as a kind that the cluster does not serve.
"""

from __future__ import annotations

from typing import Any

from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.resource import Resource

from .errors import json_of

Row = dict[str, Any]


class Kinds:
    """The kinds that are known so far, of one cluster by one client. It takes the place of a discoverer there."""

    def __init__(self, client: DynamicClient, _cache_file: str | None = None) -> None:
        self._client = client
        self._known: dict[str, list[Row]] = {}

    def get(self, *, api_version: str, kind: str) -> Resource:
        """The kind; one that came lately is found too.

        Raises:
            LookupError: the cluster does not serve it.
            ApiException, HTTPError: it does not tell.
        """
        row = self._find(self._known.get(api_version, []), kind)
        if row is None:
            self._known[api_version] = self._asked(api_version)
            row = self._find(self._known[api_version], kind)
        if row is None:
            raise LookupError(f"{kind} of {api_version}")
        group, _, version = api_version.rpartition("/")
        facts = {key: row[key] for key in ("kind", "name", "namespaced", "verbs")}
        return Resource(
            prefix="apis" if group else "api", group=group, api_version=version, client=self._client, **facts
        )

    def _asked(self, api_version: str) -> list[Row]:
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            answer = json_of(self._client.request("get", path, serialize=False))
        except ApiException as problem:
            if problem.status == 404:
                return []
            raise
        return [row for row in answer.get("resources") or [] if "/" not in row["name"]]

    @staticmethod
    def _find(rows: list[Row], kind: str) -> Row | None:
        return next((row for row in rows if row["kind"] == kind), None)
