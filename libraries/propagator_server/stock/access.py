"""What a kubeconfig comes to: who asks, whom, how it is made secure, and through which proxy."""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from kubernetes import client, config
from kubernetes.client.rest import should_bypass_proxies
from kubernetes.config import ConfigException
from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION, KubeConfigMerger

IMPERSONATION = ("as", "as-uid", "as-groups", "as-user-extra")
_UNREADABLE = (yaml.YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True)
class Access:
    """One context of a kubeconfig. `config` tells the credentials as of now; `how` goes with each request."""

    config: client.Configuration
    how: dict[str, Any]


def access(kubeconfig: Path | None, context: str | None) -> Access:
    """Reads a kubeconfig (None: the usual one); nothing is written, and no file with a key stays.

    Raises:
        ConfigException: it cannot be used, or asks for what is not done here.
    """
    file = str(kubeconfig or KUBE_CONFIG_DEFAULT_LOCATION)
    made = client.Configuration()
    try:
        # Certificates and keys become files, which are read at once.
        with tempfile.TemporaryDirectory() as folder:
            config.load_kube_config(file, context, made, persist_config=False, temp_file_path=folder)
            _refuse_impersonation(file, context)
            tls = _tls(made) if made.host.startswith("https") else None
    except _UNREADABLE as wrong:
        raise ConfigException(f"{file} is no usable kubeconfig ({type(wrong).__name__}: {wrong})") from None
    how = {"ssl": tls or True, "server_hostname": made.tls_server_name or None, "proxy": _proxy(made)}
    return Access(made, how)


def _refuse_impersonation(file: str, context: str | None) -> None:
    """The official client passes over it, and would go on with more rights than were meant."""
    known = KubeConfigMerger(file).config
    name = context or known["current-context"]
    held = known["contexts"].get_with_name(name)["context"].value
    user = known["users"].get_with_name(held["user"])["user"].value if held.get("user") else {}
    if asked := [field for field in IMPERSONATION if user.get(field)]:
        raise ConfigException(
            f"user {held['user']!r} of {file} acts as another one ({', '.join(asked)}); not done here"
        )


def _proxy(made: client.Configuration) -> str | None:
    """The kubeconfig's own proxy is for every host, that of the environment only for those outside of NO_PROXY."""
    proxy = made.proxy
    if not proxy:
        return None
    everybodys = client.Configuration()
    everybodys.host = made.host
    if proxy == everybodys.proxy and should_bypass_proxies(made.host, made.no_proxy or ""):
        return None
    url = proxy if "://" in proxy else f"http://{proxy}"
    if urlsplit(url).scheme not in ("http", "https"):
        raise ConfigException(f"the proxy begins with {urlsplit(url).scheme}://, and http:// and https:// are allowed")
    return url


def _tls(made: client.Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=made.ssl_ca_cert)
    # Clusters' authorities lack what RFC 5280 wants of them often enough.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not made.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if made.cert_file:
        context.load_cert_chain(made.cert_file, made.key_file)
    return context
