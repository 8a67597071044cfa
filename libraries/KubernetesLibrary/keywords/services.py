"""Keywords for Services."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from harness.kube import CLUSTERS
from harness.kube.proxying import Answer, Target

from ..services import request, wait_until_answers


class ServiceKeywords:
    """HTTP to Services, through the API server's proxy."""

    @keyword
    def request_through_service(
        self,
        service: str,
        namespace: str,
        *,
        path: str = "/",
        port: str | None = None,
        status: int | None = 200,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> Answer:
        """GETs a path of a Service through the API server, again while the Service has no endpoint that answers.

        Args:
            service: its name.
            namespace: of the Service.
            path: with the query, if any.
            port: number or name; needed where the Service has more than one.
            status: the HTTP status that it must answer; `${NONE}` for anything.
            timeout: how long to try.
            cluster: alias; the first started cluster by default.

        Returns:
            The answer: `status` and `body`.

        Raises:
            NotAsExpected: another status.
            WaitTimedOut: no answer; says what was last seen.
            OperationFailed: no such Service, or the cluster refuses.

        Example:

            ${answer}=    Request Through Service    web    my-tests    path=/index.html
            Should Contain    ${answer.body}    Welcome
        """
        answer = request(CLUSTERS.get(cluster), Target(namespace, service, port, path), status, timeout.total_seconds())
        logger.info(f"Service {service} answered: {answer}.")
        return answer

    @keyword
    def wait_until_service_answers(
        self,
        service: str,
        namespace: str,
        *,
        path: str = "/",
        port: str | None = None,
        status: int = 200,
        timeout: timedelta = timedelta(minutes=1),
        cluster: str | None = None,
    ) -> Answer:
        """GETs a path of a Service until it answers with the wanted status.

        Args:
            service: its name.
            namespace: of the Service.
            path: with the query, if any.
            port: number or name; needed where the Service has more than one.
            status: the HTTP status that is waited for.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Returns:
            The answer: `status` and `body`.

        Raises:
            WaitTimedOut: says what was last seen, and for how long.
            OperationFailed: no such Service, or the cluster refuses.

        Example:

            Wait Until Service Answers    web    my-tests    timeout=30 s
        """
        target = Target(namespace, service, port, path)
        answer = wait_until_answers(CLUSTERS.get(cluster), target, status, timeout.total_seconds())
        logger.info(f"Service {service} answered: {answer}.")
        return answer
