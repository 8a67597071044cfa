"""What is told of a release in a report: its history and its values, and no secret."""

from __future__ import annotations

from typing import Any

from harness.secrets import SECRETS
from harness.sources import SOURCES
from HelmLibrary import tales
from HelmLibrary.releases import Release

TOKEN = "t0ken-of-the-helm-tales"


class Known:
    """A Helm that knows one release of two revisions."""

    def history(self, release: str) -> list[Release]:
        return [
            Release(release, "shop", 1, "superseded", "cedana-1.0", updated="then", description="Install complete"),
            Release(release, "shop", 2, "failed", "cedana-1.1", updated="now", description="timed out"),
        ]

    def get_values(self, release: str, *, computed: bool) -> dict[str, Any]:
        assert (release, computed) == ("cedana", False)
        return {"config": {"url": f"https://x/?a={TOKEN}", "authToken": "given-by-others", "clusterId": "c-1"}}


def told() -> dict[str, str]:
    return {tale.title: tale.tell() for tale in SOURCES.all() if tale.title.endswith("shop/cedana")}


def test_history_and_values_are_told_without_secrets() -> None:
    SECRETS.add(TOKEN)
    tales.offer(Known(), "shop", "cedana")  # type: ignore[arg-type]
    texts = told()
    assert texts["history of release shop/cedana"].splitlines() == [
        "cedana in namespace shop: superseded, revision 1, chart cedana-1.0; then; Install complete",
        "cedana in namespace shop: failed, revision 2, chart cedana-1.1; now; timed out",
    ]
    assert texts["values of release shop/cedana"] == (
        "config:\n  url: https://x/?a=<secret>\n  authToken: <secret>\n  clusterId: c-1\n"
    )
    tales.withdraw("shop", "cedana")
    assert told() == {}
