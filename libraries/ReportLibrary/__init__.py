"""Reports for people and machines: steps on the console, evidence, diagnosis; and no secret in any of them."""

from __future__ import annotations

import atexit
import gc
import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from robot.api import logger
from robot.api.deco import keyword, library
from robot.api.types import Secret
from robot.libraries.BuiltIn import BuiltIn

from harness import VERSION
from harness.diagnosis import cause_of_message, diagnose
from harness.durations import lasting
from harness.failures import BadInput, E2EFailure
from harness.kube import CLUSTERS, Cluster
from harness.secrets import SECRETS
from harness.sources import SOURCES

from . import links, pages, story
from .diagnostics import Collector, fresh_directory
from .evidence import plain, without_credentials
from .exports import Exports, Places
from .facts import facts
from .recorder import Recorder
from .redaction import Redaction
from .screen import Screen
from .step_tree import StepTree
from .story import Story
from .telemetry import Telemetry, check_telemetry

TIMES = "_seconds"
"""Ends the names of what is a time, in a verdict."""

# One of each for a run, however many suites import the library, and under however many names.
_SCREEN = Screen(SECRETS.redact)
_EXPORTS = Exports()
_RECORDER = Recorder(_EXPORTS.publish)
_STORY = Story(_RECORDER)
_STEPS = StepTree(_SCREEN, _STORY.step_ended)
_LISTENERS = [_STEPS, _RECORDER, _STORY, Telemetry(), Redaction(SECRETS.redact, _SCREEN)]
# At its end Python looks for garbage in all that was imported: a tenth of a second, for what goes with the process.
atexit.register(gc.freeze)


@library(scope="GLOBAL", version=VERSION, doc_format="MARKDOWN", listener=_LISTENERS)
class ReportLibrary:
    """What a run tells, while it goes on and afterwards.

    A suite that imports this library, directly or through a resource file, gets without a further word:

    - **Steps on the console.** Each `GROUP` that stands in no other one is a step: a line with its time, live.
      The same groups are the phases of the story in log.html.
    - **Redaction.** No secret that the harness knows gets into console, log, report or output files, at any log level.
    - **evidence.json** in the output directory: status, cause, verdicts and measurements of each test, for machines.
      Its fields are described in evidence.schema.json beside this library.

    ```robotframework
    *** Settings ***
    Library    ../libraries/ReportLibrary/

    *** Test Cases ***
    Checkpoint
        GROUP    Polling checkpoint status
            Set Step Outcome    [COMPLETED]
        END
        Record Measurement    time to checkpoint    1.7    s
    ```

    A variable in the name of a group must be known in a `--dryrun` too; those of FOR loops and arguments are not.
    """

    @keyword
    def set_step_outcome(self, text: str) -> None:
        """Says what the running step came to: it stands behind the step's name on the console, and in the log.

        Args:
            text: a word in brackets, or a short sentence.

        ```robotframework
        GROUP    Polling checkpoint status
            Set Step Outcome    [COMPLETED]
        END
        ```
        """
        logger.info(text)
        if _STEPS.step:
            _STEPS.step.outcome = SECRETS.redact(text)

    @keyword
    def record_measurement(self, name: str, value: float, unit: str = "") -> None:
        """Puts a measured number into the evidence of the running test, or of the suite around it.

        Args:
            name: what was measured; the same from run to run.
            value: the number.
            unit: as it is read after the number, such as `s` or `MiB`; nothing for a mere count.

        Raises:
            BadInput: the value is infinite or not a number.

        ```robotframework
        Record Measurement    time to restore    2.25    s
        ```
        """
        if not math.isfinite(value):
            raise BadInput("value", value, "a finite number", cause="harness-error")
        logger.info(f"{name}: {value:.4g} {unit}".rstrip())
        _RECORDER.notes.measurements.append({"name": name, "value": value, "unit": unit})

    @keyword
    def record_verdict(self, verdict: Any) -> None:
        """Puts a verdict into the evidence of the running test. The times in it become measurements, too.

        Args:
            verdict: a dictionary, or what can be made one (a dataclass, or anything with `to_dict`). Each number under
                a name that ends in `_seconds` is also a measurement: `freeze_gap_seconds` is `freeze gap` in `s`.

        Raises:
            BadInput: it is something else.

        ```robotframework
        VAR    &{verdict}    verdict=continued    b=${12}    r=${14}    a=${13}
        Record Verdict    ${verdict}
        ```
        """
        if not (isinstance(verdict, Mapping) or is_dataclass(verdict) or hasattr(verdict, "to_dict")):
            raise BadInput("verdict", verdict, "a dictionary or a dataclass", cause="harness-error")
        known = plain(verdict)
        _RECORDER.notes.verdicts.append(known)
        for name, value in known.items():
            if name.endswith(TIMES) and isinstance(value, int | float):
                self.record_measurement(name.removesuffix(TIMES).replace("_", " "), value, "s")

    @keyword
    def record_phase(self, phase: Mapping[str, Any]) -> None:
        """Puts how long a phase of the running test took, and what was used in it, into the evidence.

        Args:
            phase: a dictionary with `phase` (its name) and `seconds`, and what else `Get Resource Use` gives.

        Raises:
            BadInput: it has no name, or no seconds.

        ```robotframework
        VAR    &{phase}    phase=checkpoint    seconds=${0.7}
        Record Phase    ${phase}
        ```
        """
        known = plain(phase)
        if not known.get("phase") or not isinstance(known.get("seconds"), int | float):
            raise BadInput("phase", phase, "a dictionary with phase and seconds", cause="harness-error")
        logger.info(f"{known['phase']}: {lasting(known['seconds'])}")
        _RECORDER.notes.phases.append(known)

    @keyword
    def record_checkpoint_storage(
        self, made: int, size: int | None = None, kept: int = 0, *, removed: bool = False
    ) -> None:
        """Puts what the run's checkpoints take into the summary of the evidence: storage costs money.

        What is recorded again replaces what was there.

        Args:
            made: how many checkpoints the run made.
            size: bytes of them all; none where the propagator does not tell.
            kept: how many of them are not deprecated now.
            removed: the run removes what it made after this, so that only leftovers count as left.

        ```robotframework
        Record Checkpoint Storage    2    5200000    kept=1
        ```
        """
        _RECORDER.storage = {"made": made, "size": size, "kept": kept, "removed": removed}

    @keyword
    def log_pod_before_and_after(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Writes a table of two pods into the log, what was before and what came of it: identity, node, containers.

        Args:
            before: the pod as the Kubernetes API gave it.
            after: the pod that was made of it.

        ```robotframework
        VAR    &{before}    metadata=${{{"name": "web", "uid": "1"}}}
        VAR    &{after}    metadata=${{{"name": "web-restored", "uid": "2"}}}
        Log Pod Before And After    ${before}    ${after}
        ```
        """
        logger.info(story.pods(plain(before), plain(after)), html=True)

    @keyword
    def record_environment(self, **facts: Any) -> None:
        """Says in the evidence where the run takes place. What is recorded again replaces what was there.

        Args:
            facts: `provider`, `emulated` (true or false), `kubernetes` (version), `nodes` (a list of dictionaries),
                `chart`, `propagator_era`, `propagator_url` (credentials are taken off), and any others.

        Raises:
            BadInput: `emulated` is neither true nor false.

        ```robotframework
        Record Environment    provider=existing    emulated=false    kubernetes=v1.33.13+k3s1
        ```
        """
        for name, value in facts.items():
            _RECORDER.environment[name] = _fact(name, value)

    @keyword
    def record_leftovers(self, leftovers: list[str]) -> None:
        """Puts the names of what was left behind into the evidence of the running test or suite.

        Args:
            leftovers: names such as `namespace cedana-e2e-1a2b3c4d`; may be empty.

        ```robotframework
        Record Leftovers    ${left}
        ```
        """
        _RECORDER.notes.leftovers.extend(leftovers)

    @keyword
    def publish_evidence(self) -> Path:
        """Writes evidence.json now. It is also written by itself, whenever a test or suite begins or ends.

        Returns:
            The path of the file, in the output directory of the run.

        Raises:
            OSError: it cannot be written.

        ```robotframework
        ${file}=    Publish Evidence
        ```
        """
        return _RECORDER.write()

    @keyword
    def export_results(
        self, history: Path | None = None, metrics: Path | None = None, pushgateway: Secret | str | None = None
    ) -> None:
        """Says where the results of the run go when it is over, besides the output directory. It can fail nothing then.

        A place that cannot be written in the end is told on the console. GitHub's job summary needs no word: it is
        written wherever GITHUB_STEP_SUMMARY names its file.

        Args:
            history: a file that gets a line for each run; `python -m ReportLibrary.history` makes tables of it.
            metrics: a file in OpenMetrics format, as the node exporter's textfile collector reads it, too.
            pushgateway: URL of a Prometheus Pushgateway; a secret where it has a user and a password.

        Raises:
            BadInput: a package that metrics need is not installed, or OTEL_EXPORTER_OTLP_ENDPOINT asks for traces in
                a way that does not work.

        ```robotframework
        Export Results    history=${OUTPUT_DIR}/history.jsonl
        ```
        """
        url = pushgateway.value if isinstance(pushgateway, Secret) else pushgateway
        places = Places(history, metrics, url)
        places.check()
        check_telemetry()
        _EXPORTS.places = places

    @keyword
    def collect_diagnostics(
        self,
        namespace: str = "",
        cluster: str | None = None,
        cedana_namespace: str = "cedana-system",
        about: list[str] | None = None,
        failure: str | None = None,
    ) -> Path:
        """Collects what explains a failure into files, linked from the log, and looks for the cause.

        To be used in a teardown, before anything is removed. Pods, events, logs, nodes, what the propagator and Helm
        say, and versions are read side by side. It never fails and takes 20 seconds at most: what could not be
        collected is listed with the reason. Secrets are not read, values of environment variables and ConfigMaps not
        written.

        Where the facts tell a better cause than the failure does, the failure's message and the evidence get it; where
        no known cause fits, they get the strongest facts.

        Args:
            namespace: where the workload is; none when it never came to be.
            cluster: alias of the cluster; the first one that was connected when left out.
            cedana_namespace: where Cedana is.
            about: names of the pods that the failure is about, beside those that it names itself.
            failure: the message to explain; by default that of the running test.

        Returns:
            The directory of the files, `diagnostics/<test>` in the output directory. It is there when anything was
            found.

        ```robotframework
        [Teardown]    Run Keyword If Test Failed    Collect Diagnostics    ${NAMESPACE}
        ```
        """
        built_in = BuiltIn()
        output = Path(built_in.get_variable_value("${OUTPUT DIR}"))
        name = built_in.get_variable_value("${TEST NAME}") or built_in.get_variable_value("${SUITE NAME}")
        message = failure if failure is not None else built_in.get_variable_value("${TEST MESSAGE}") or ""
        directory = fresh_directory(output / "diagnostics", name)
        collector = Collector(_cluster(cluster), directory, cedana_namespace=cedana_namespace)
        missed = cause_of_message(message).name == "restored-pod-missing"
        found = collector.collect([namespace, cedana_namespace], SOURCES.all(), elsewhere=missed)
        explained = None
        if message:
            known = facts(collector.seen, _RECORDER.since)
            explained = diagnose(SECRETS.redact(message), known, about=about or [])
            _RECORDER.diagnoses.append(explained)
            logger.info("\n".join([f"Cause: {explained.cause}", *map(str, explained.facts)]))
        if directory.is_dir():
            page = pages.write(directory, name, found, collector.seen, explained)
            _RECORDER.page_is(page)
            logger.info(links.table(found, page, _RECORDER.log_directory), html=True)
        return directory


def _cluster(alias: str | None) -> Cluster | None:
    try:
        return CLUSTERS.get(alias)
    except E2EFailure as problem:
        logger.info(f"No diagnostics: {problem}")
        return None


def _fact(name: str, value: Any) -> Any:
    if name == "emulated" and not isinstance(value, bool):
        truth = {"true": True, "false": False}.get(str(value).lower())
        if truth is None:
            raise BadInput("emulated", value, "true or false", cause="harness-error")
        return truth
    return without_credentials(str(value)) if name.endswith("url") else plain(value)
