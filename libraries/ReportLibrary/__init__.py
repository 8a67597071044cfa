"""Reports for people and machines: steps on the console, evidence, diagnosis; and no secret in any of them."""

from __future__ import annotations

from robot.api import logger
from robot.api.deco import keyword, library

from harness.secrets import SECRETS

from .redaction import Redaction
from .screen import Screen
from .step_tree import StepTree

_SCREEN = Screen(SECRETS.redact)
_STEPS = StepTree(_SCREEN)
_LISTENERS = [_STEPS, Redaction(SECRETS.redact, _SCREEN)]


@library(scope="GLOBAL", version="0.1.0", doc_format="MARKDOWN", listener=_LISTENERS)
class ReportLibrary:
    """What a run tells, while it goes on and afterwards."""

    @keyword
    def set_step_outcome(self, text: str) -> None:
        """Sets what the running step came to.

        Args:
            text: a word in brackets, or a short sentence.
        """
        logger.info(text)
        if _STEPS.step:
            _STEPS.step.outcome = SECRETS.redact(text)
