"""Keywords for charts before they are installed."""

from __future__ import annotations

from typing import Any

from robot.api import logger
from robot.api.deco import keyword

from . import cedana_chart
from .charts import chart_of
from .engines import EngineChoice, find_engine
from .operations import values_of_chart
from .releases import Engine


class ChartKeywords:
    """What a chart says of itself; nothing here needs a cluster."""

    def __init__(self, engine: EngineChoice) -> None:
        self._choice = engine
        self._found: Engine | None = None

    @keyword(tags=["helm", "getter"])
    def get_chart_values(self, chart: str, *, version: str | None = None, repo: str | None = None) -> dict[str, Any]:
        """Gets the values that a chart has by itself: its values file.

        Args:
            chart: as `Install Chart` takes it.
            version: of the chart, for `oci://` and `repo`; the newest one when it is not given.
            repo: URL of the chart repository that has `chart`.

        Returns:
            A dictionary, nested as in a values file.

        Raises:
            BadInput: the reference cannot be one of a chart.
            OperationFailed: there is no such chart, or it cannot be read; cause `bad-chart`.

        ```robotframework
        ${known}=    Get Chart Values    ${CHART}
        Log    ${known}[config][logLevel]
        ```
        """
        return values_of_chart(self._engine(), chart_of(chart, version, repo))

    @keyword(tags=["helm", "getter"])
    def get_cedana_values(
        self,
        chart: str,
        *,
        url: str,
        token: Any,
        cluster_id: str,
        cluster_name: str = "",
        options: dict[str, Any] | None = None,
        resources: dict[str, Any] | None = None,
        version: str | None = None,
        repo: str | None = None,
    ) -> dict[str, Any]:
        """Values for a chart of Cedana's, by the names that this very chart has for them.

        Its releases name them differently: `cedanaConfig.cedanaUrl` became `config.url`, a cluster's name its id.

        Args:
            chart: as `Install Chart` takes it.
            url: of the propagator.
            token: for it, a `Secret`.
            cluster_id: id of the cluster at the propagator.
            cluster_name: its name, for charts that know clusters by name.
            options: more of what the chart can be told, by the names of the settings, such as
                `CEDANA_CHECKPOINT_DIR`; those that are None are left to the chart.
            resources: requests and limits for those of its components that can be given some.
            version: of the chart, for `oci://` and `repo`; the newest one when it is not given.
            repo: URL of the chart repository that has `chart`.

        Returns:
            A dictionary for `Install Chart`.

        Raises:
            BadInput: the chart does not know an option; names all such, and what it knows; cause `bad-chart`.
            OperationFailed: the chart cannot be read; cause `bad-chart`.

        ```robotframework
        VAR    &{options}    CEDANA_LOG_LEVEL=debug
        ${values}=    Get Cedana Values    ${CHART}    url=${URL}    token=${TOKEN}    cluster_id=${ID}
        ...    options=${options}
        Should Be Equal    ${values}[config][logLevel]    debug
        ```
        """
        known = values_of_chart(self._engine(), chart_of(chart, version, repo))
        return cedana_chart.cedana_values(
            known,
            url=url,
            token=token,
            cluster_id=cluster_id,
            cluster_name=cluster_name,
            options=options or {},
            resources=resources,
        )

    def _engine(self) -> Engine:
        if self._found is None:
            self._found = find_engine(self._choice)
            logger.info(f"Engine: {self._found.description}.")
        return self._found
