"""What is remembered of a checkpoint beside its archives, which stay with the agents."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Saved:
    """The pod as the API had it, and what the agents say of each container's archive, by checkpoint id.

    `consistent`: whether the containers were cut at one moment, however long their dumps took one after the other.
    """

    action_id: str
    cluster_id: str
    pod: Object
    records: dict[str, Object]
    consistent: bool = False

    @property
    def distance(self) -> float:
        """Seconds between the first and the last container's cut."""
        moments = [record["cut"] for record in self.records.values()]
        return float(max(moments) - min(moments))

    def of_container(self, name: str) -> Object | None:
        """The record of a container's archive."""
        return next((record for record in self.records.values() if record["container"] == name), None)

    def to_json(self) -> Object:
        """As `from_json` takes it."""
        return asdict(self)

    @staticmethod
    def from_json(value: Object) -> Saved:
        """What `to_json` gave."""
        return Saved(**value)
