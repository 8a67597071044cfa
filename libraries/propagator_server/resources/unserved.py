"""What the real API has and this server does not: refused, never answered with a made-up success."""

from aiohttp import web

from ..refusals import RefusedError

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


async def refuse(request: web.Request) -> web.StreamResponse:
    """501 for paths of the real API, 404 for those that are none."""
    family = request.match_info["rest"].split("/")[0]
    if family in FAMILIES:
        raise RefusedError(501, f"{request.method} {request.path} is not served by this propagator")
    raise RefusedError(404, f"No such path: {request.path}")
