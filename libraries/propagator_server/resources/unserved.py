"""What the real API has and this server does not: refused, never answered with a made-up success."""

from aiohttp import web

from ..refusals import RefusedError
from ..service import service_of

FAMILIES = frozenset(
    {
        "actions",
        "checkpoint",
        "checkpoints",
        "cluster",
        "download",
        "dynamo",
        "events",
        "files",
        "inference",
        "install",
        "instances",
        "jobs",
        "k8s",
        "logs",
        "metrics",
        "nodes",
        "operations",
        "otel",
        "plugins",
        "pods",
        "policy",
        "pricing",
        "restores",
        "secrets",
        "slurm",
        "tables",
    }
)


REASONS = {
    "cluster/sync": "it reads pods and nodes from its clusters itself",
    "k8s/sync": "it reads pods and nodes from its clusters itself",
    "cluster/workload": "it creates nothing but restored pods",
    "files": "it hands out no URLs of stored files",
    "jobs": "jobs are not known to it, only their pods",
    "restores": "what is in such a row is not published",
    "secrets": "it has no registry to give credentials of",
}


async def refuse(request: web.Request) -> web.StreamResponse:
    """501 for what the real API has besides, 405 for another method's path, 404 for what is no path."""
    rest = request.match_info["rest"]
    what = f"{request.method} {request.path}"
    if reason := next((why for path, why in REASONS.items() if f"{rest}/".startswith(f"{path}/")), None):
        raise RefusedError(501, f"{what} is not served by this propagator: {reason}")
    if methods := await _methods(request):
        raise RefusedError(405, f"{what}: allowed are {', '.join(sorted(methods))}")
    if rest.split("/")[0] in FAMILIES:
        raise RefusedError(501, f"{what} is not served by this propagator")
    raise RefusedError(404, f"No such path: {request.path}")


async def _methods(request: web.Request) -> set[str]:
    """What else may be done with the path in this era."""
    found: set[str] = set()
    absent = service_of(request).era.absent
    for resource in request.app.router.resources():
        path = "/" + resource.canonical.lstrip("/").partition("/")[2]
        if path != "/{rest}":
            _, methods = await resource.resolve(request)
            found |= {method for method in methods if f"{method} {path}" not in absent and method != "HEAD"}
    return found
