"""The keyword for witnesses that are asked instead of read."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import BadInput

from . import sampling
from .observation import Workload
from .records import Records
from .sampled import NATURES
from .samplers import Way
from .sampling import SampledObservation

Witness = Literal["http", "stub_status", "redis"]
Route = Literal["port-forward", "service", "url"]
_PORTS = {"http": "8080", "stub_status": "80", "redis": "6379"}
_PATHS = {"http": "/", "stub_status": "/stub_status", "redis": ""}
_SCHEMES = {"http": ("http", "https"), "stub_status": ("http", "https"), "redis": ("redis",)}
LEAST = {"http": 0, "stub_status": 1000, "redis": 0}
"""The count that is reached before the first sample: one without a nonce must be out of a fresh start's reach."""


class SampledKeywords(Records):
    """Observes witnesses by asking them."""

    @keyword(tags=["continuity"])
    def observe_sampled_workload(
        self,
        pod: str,
        namespace: str = "default",
        witness: Witness = "http",
        *,
        route: Route = "port-forward",
        port: str | None = None,
        path: str | None = None,
        service: str = "",
        url: str = "",
        samples: int = sampling.SAMPLES,
        least: int | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> SampledObservation:
        """Asks the witness of a pod's process a few times, and remembers what it said.

        Every connection is closed again before it returns: one that is open can make a checkpoint fail. The other
        keywords take its observation as they take that of `Observe Workload`.

        | witness     | is asked | proves |
        |-------------|----------|--------|
        | http        | GET of a line of the witness protocol | nonce, chain, and that no step is lost |
        | stub_status | GET of nginx's `stub_status` | that no request is forgotten that was counted; it has no nonce |
        | redis       | INFO and INCR of a key of its own | nonce (the run_id), and the count exactly |

        Args:
            pod: its name.
            namespace: where it is.
            witness: which kind.
            route: `port-forward` through the API server; `service`, through the API server's proxy to a Service that
                leads to this pod only; `url`, directly from here.
            port: of the pod; of the Service: number or name, needed where it has several. Of the pod it is 8080, 80
                and 6379 by default, for the kinds in the order above.
            path: over HTTP; `/` for http and `/stub_status` for stub_status by default.
            service: its name, with that route.
            url: with that route; `redis://host:port` for redis.
            samples: how many it must have given, each with a higher count than the one before.
            least: the count that is reached first, by asking again and again; by default 1000 for stub_status, as a
                fresh start must not be able to show as much, and 0 for the others.
            timeout: for all of it.
            cluster: alias of the cluster.

        Returns:
            The observation: uid, nonce (empty for stub_status), step (the last count).

        Raises:
            WaitTimedOut: it gave too few samples (cause `witness-missing`); says what was seen.
            BadInput: the route does not fit.

        ```robotframework
        ${before}=    Observe Sampled Workload    counted    my-tests    stub_status    port=80
        ```
        """
        place = self._cluster(cluster)
        way = way_to(witness, route, port=port, path=path, service=service, url=url)
        workload = Workload(place.alias, namespace, pod)
        count = LEAST[witness] if least is None else least
        seconds = timeout.total_seconds()
        observation = sampling.observe(place, workload, way, samples=samples, least=count, timeout=seconds)
        observation.others = self._nonces
        if observation.nonce:
            self._nonces[observation.nonce] = str(workload)
        self._newest = observation
        logger.info(str(observation))
        return observation


def way_to(
    witness: Witness,
    route: Route = "port-forward",
    *,
    port: str | None = None,
    path: str | None = None,
    service: str = "",
    url: str = "",
) -> Way:
    """The way to a witness, as keywords name it.

    Raises:
        BadInput: the parts do not fit.
    """
    if route == "service" and not service:
        raise BadInput("service", service, "the name of a Service, for the route `service`")
    if route == "service" and witness == "redis":
        raise BadInput("route", route, "`port-forward` or `url` for redis, as the API server's proxy speaks HTTP only")
    if route == "url" and not (urlsplit(url).scheme in _SCHEMES[witness] and urlsplit(url).hostname):
        raise BadInput("url", url, f"a URL that begins with {' or '.join(_SCHEMES[witness])}://")
    if route == "port-forward":
        port = port or _PORTS[witness]
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise BadInput("port", port, "a number from 1 to 65535, for the route `port-forward`")
    mark = sampling.new_mark() if witness == "redis" else ""
    return Way(NATURES[witness], route, port, path or _PATHS[witness], service, url, mark)
