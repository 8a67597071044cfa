"""The session that our keywords and RequestsLibrary's share, found there under an alias."""

from __future__ import annotations

from typing import Any

import requests
from RequestsLibrary import RequestsLibrary
from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError


class SharedSessions:
    """Sessions by alias, known to every RequestsLibrary of the run, whether it is imported before or after."""

    def __init__(self) -> None:
        self._sessions: dict[str, requests.Session] = {}
        self._own = RequestsLibrary()

    def create(self, alias: str, url: str, verify: bool | str) -> requests.Session:
        """A session that RequestsLibrary made. It repeats nothing by itself: that is decided one level up."""
        session: requests.Session = (_running() or self._own).create_session(alias, url, verify=verify, max_retries=0)
        self._sessions[alias] = session
        return session

    def share_with(self, library: Any) -> None:
        """Makes the sessions known to a RequestsLibrary that was imported later."""
        for alias, session in self._sessions.items():
            if alias not in library._cache._aliases or library._cache.get_connection(alias) is not session:
                library._cache.register(session, alias=alias)


def _running() -> Any:
    """The RequestsLibrary that the running suite has imported, or None."""
    try:
        return BuiltIn().get_library_instance("RequestsLibrary")
    except (RuntimeError, RobotNotRunningError):
        return None
