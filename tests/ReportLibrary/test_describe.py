"""What is said of namespaces and of what limits what may be in them."""

from ReportLibrary import describe


def test_a_namespace_in_words():
    going = {
        "metadata": {"name": "a", "creationTimestamp": "then", "deletionTimestamp": "now", "labels": {"k": "v"}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Terminating", "conditions": [{"type": "B", "status": "True", "message": "held"}]},
    }
    assert describe.namespace(going).splitlines() == [
        "Namespace a",
        "  phase: Terminating, created then",
        "  being deleted since now, finalizers: kubernetes",
        "  label: k=v",
        "  B: True - held",
    ]
    assert "deleted" not in describe.namespace({"metadata": {"name": "a"}})


def test_quotas_in_words():
    quota = {
        "metadata": {"name": "compute"},
        "spec": {"hard": {"pods": "10"}},
        "status": {"hard": {"pods": "10"}, "used": {"pods": "9"}},
    }
    new = {"metadata": {"name": "new"}, "spec": {"hard": {"limits.memory": "1Gi"}}}
    assert describe.quotas([quota, new]).splitlines() == [
        "RESOURCEQUOTA  OF             USED       ALLOWED",
        "compute        pods           9          10",
        "new            limits.memory  not known  1Gi",
    ]
    assert describe.quotas([]) == "There are no ResourceQuotas.\n"


def test_limit_ranges_in_words():
    limit = {"type": "Container", "max": {"memory": "64Mi", "cpu": "1"}, "defaultRequest": {"cpu": "10m"}}
    assert describe.limit_ranges([{"metadata": {"name": "small"}, "spec": {"limits": [limit]}}]).splitlines() == [
        "LIMITRANGE  FOR        RULE            VALUES",
        "small       Container  defaultRequest  cpu 10m",
        "small       Container  max             cpu 1, memory 64Mi",
    ]
    assert describe.limit_ranges([]) == "There are no LimitRanges.\n"
