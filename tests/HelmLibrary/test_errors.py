"""Helm's words (as helm 3 and 4 write them) and the cause that each is given."""

from __future__ import annotations

import pytest
from tests.HelmLibrary.places import TOKEN

from harness.secrets import SECRETS
from HelmLibrary.errors import LONGEST, cause_of, failed, may_pass
from HelmLibrary.releases import HelmError


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("Error: INSTALLATION FAILED: Chart.yaml file is missing", "bad-chart"),
        (
            "Error: INSTALLATION FAILED: execution error at (cedana/templates/configmap.yaml:1:4): required values are "
            "missing: config.url",
            "bad-chart",
        ),
        ('Error: INSTALLATION FAILED: parse error at (x/templates/a.yaml:3): function "nope" not defined', "bad-chart"),
        ("values don't meet the specifications of the schema(s) in the following chart(s)", "bad-chart"),
        (
            'unable to build kubernetes objects from release manifest: resource mapping not found for name: "x"',
            "bad-chart",
        ),
        (
            'Error: looks like "https://x" is not a valid chart repository or cannot be reached: connection refused',
            "bad-chart",
        ),
        (
            "Error: INSTALLATION FAILED: chart requires kubeVersion: >=9.9 which is incompatible with Kubernetes v1.33",
            "bad-chart",
        ),
        (
            'Kubernetes cluster unreachable: Get "http://127.0.0.1:9/version": connect: connection refused',
            "cluster-unreachable",
        ),
        (
            'failed to create resource: pods "x" is forbidden: exceeded quota: small, requested: cpu=1, used: cpu=0',
            "quota",
        ),
        ('admission webhook "policy.example.com" denied the request: no privileged pods', "webhook-refused"),
        (
            'deployments.apps is forbidden: User "system:serviceaccount:a:b" cannot create resource "deployments"',
            "cluster-refused",
        ),
        (
            'failed to create: secrets "sh.helm.release.v1.cedana.v1" is forbidden: unable to create new content '
            "in namespace cedana-system because it is being terminated",
            "stuck-terminating",
        ),
        (
            "server-side apply failed for object cedana-system/cedana-helper apps/v1, Kind=DaemonSet: DaemonSet.apps "
            '"cedana-helper" is invalid: spec.template.spec.containers[0].image: Required value',
            "bad-chart",
        ),
        ("Error: the server has asked for the client to provide credentials", "cluster-refused"),
        ("Error: INSTALLATION FAILED: context deadline exceeded", "install-timeout"),
        ("Error: UPGRADE FAILED: timed out waiting for the condition", "install-timeout"),
        ("Error: INSTALLATION FAILED: cannot re-use a name that is still in use", "helm-failed"),
        ("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress", "helm-failed"),
    ],
)
def test_causes(words: str, cause: str) -> None:
    assert cause_of(HelmError(words)) == cause


def test_what_the_engine_knows_wins_over_the_words() -> None:
    assert cause_of(HelmError("connection refused", "chart")) == "bad-chart"
    assert cause_of(HelmError("stopped", "timeout")) == "install-timeout"


def test_the_message_has_helms_words_redacted_and_cut() -> None:
    SECRETS.add(TOKEN)
    long = f"{'x' * 5000} token {TOKEN} end"
    text = str(failed("release a to be installed", HelmError(long), seen="it is left as failed"))
    assert text.startswith("Expected: release a to be installed\nSeen: it is left as failed; Helm said: ...")
    assert "token <secret> end" in text
    assert len(text) < LONGEST + 500


@pytest.mark.parametrize(
    ("words", "passing"),
    [
        (
            'could not get information about the resource ServiceAccount "x": Internal error occurred: etcdserver: '
            "request timed out",
            True,
        ),
        ("the server is currently unable to handle the request", True),
        ("the server has received too many requests and has asked us to try again later", True),
        ("unexpected EOF", True),
        ('Internal error occurred: failed calling webhook "policy.example.com"', False),
        ("cannot re-use a name that is still in use", False),
        ("context deadline exceeded", False),
    ],
)
def test_a_failure_of_the_api_server_may_pass(words: str, passing: bool) -> None:
    assert may_pass(HelmError(words)) is passing
