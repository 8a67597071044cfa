"""Keywords for manifests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api import logger
from robot.api.deco import keyword
from robot.utils import DotDict

from harness.kube import CLUSTERS

from .. import applying, deletion
from ..manifests import Overrides, adapt, load
from .answers import all_dotted, dotted


class ManifestKeywords:
    """Creating what a manifest holds."""

    @keyword
    def apply_manifest(
        self,
        manifest: str,
        namespace: str,
        *,
        pod_name: str | None = None,
        image: str | None = None,
        container: str | None = None,
        images: dict[str, str] | None = None,
        labels: dict[str, str] | None = None,
        rename_services: bool = False,
        needs_pod: bool = False,
        owner: dict[str, Any] | None = None,
        cluster: str | None = None,
    ) -> DotDict | list[DotDict]:
        """Creates the objects of a manifest in a namespace. They are removed at the run's end.

        The manifest is checked before anything is created. An object that is there already is refused: it is not
        this run's.

        Args:
            manifest: path of a YAML file, or YAML text of several lines.
            namespace: where to create them.
            pod_name: renames the pod; its label `app` and its container follow where they have the old name.
            image: for the first container of the pod, or for `container`.
            container: the container that `image` is for.
            images: images by the last part of their repository, such as `nginx`; for every container, in templates
                too, that has an image of that repository. `image` wins over it.
            labels: added to every object.
            rename_services: Services that select the pod's old `app` label or have its old name follow `pod_name`.
            needs_pod: refuse a manifest that does not hold exactly one Pod.
            owner: the object that all of them are to belong to, as a controller's do: they go with it.
            cluster: alias; the first started cluster by default.

        Returns:
            The pod, where the manifest holds exactly one, with the API's field names; else a list of all objects.

        Raises:
            BadInput: the manifest cannot be used; nothing was created; cause `bad-manifest`.
            OperationFailed: the cluster refuses an object, with its words.

        Example:

            ${pod}=    Apply Manifest    ${CURDIR}/nginx.yaml    my-tests    pod_name=web    rename_services=True
            Log    ${pod.metadata.uid}
        """
        overrides = Overrides(pod_name, image, container, images or {}, labels or {}, rename_services, owner)
        adapted = adapt(load(manifest), overrides)
        if needs_pod:
            adapted.pod()
        objects = applying.apply(CLUSTERS.get(cluster), adapted, namespace)
        made = ", ".join(f"{one['kind']} {one['metadata']['name']}" for one in objects)
        logger.info(f"Created in namespace {namespace}: {made}.")
        pods = [one for one in objects if one["kind"] == "Pod"]
        return dotted(pods[0]) if len(pods) == 1 else all_dotted(objects)

    @keyword
    def delete_manifest(
        self,
        manifest: str,
        namespace: str,
        *,
        timeout: timedelta = timedelta(minutes=2),
        cluster: str | None = None,
    ) -> None:
        """Deletes the objects of a manifest that this run created, and waits until they are gone.

        Objects that this run did not create are left alone, whatever their names.

        Args:
            manifest: as it was given to `Apply Manifest`.
            namespace: where they are.
            timeout: for all of them.
            cluster: alias; the first started cluster by default.

        Raises:
            BadInput: the manifest cannot be used.
            WaitTimedOut: an object is still there; says what keeps it.

        Example:

            Apply Manifest    ${CURDIR}/nginx.yaml    my-tests
            Delete Manifest    ${CURDIR}/nginx.yaml    my-tests
        """
        gone = deletion.delete_manifest(CLUSTERS.get(cluster), load(manifest), namespace, timeout.total_seconds())
        logger.info(f"Deleted from namespace {namespace}: {', '.join(gone) or 'nothing'}.")
