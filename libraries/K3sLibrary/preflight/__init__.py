"""What a run needs of a cluster, looked at before anything is created: rights, nodes, room, storage."""

from .findings import Finding, Importance, as_html, as_text, judge
from .fitness import conditions
from .rights import read_roles, rights_findings
from .stock import stock_findings

__all__ = [
    "Finding",
    "Importance",
    "as_html",
    "as_text",
    "conditions",
    "judge",
    "read_roles",
    "rights_findings",
    "stock_findings",
]
