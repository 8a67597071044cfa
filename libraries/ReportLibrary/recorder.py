"""Gathers the evidence of a run from Robot Framework's results, and writes it whenever a test or suite is done.

Listeners of a library are only called in suites that import it. So tests and suites are read from Robot's own result
tree, which has all of them; what only the listener sees (retried attempts, what keywords hand in) is kept beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Any, TypeVar

from robot.libraries.BuiltIn import BuiltIn
from robot.version import get_version

from harness.diagnosis import Diagnosis, cause_of_message, so_far
from harness.failures import cause_of_text
from harness.ledger import LEDGER

from . import evidence, head, summary
from .archive import Archive
from .evidence import RUNNING, Evidence, Failure, Notes, Outcome, SuiteOutcome
from .places import Places, failed_item, file_of, relative
from .robot_internals import current_suite, flush_output, running, talking_console
from .tree import RETRIED

if TYPE_CHECKING:
    from robot import output, result
    from robot import running as data


AnyOutcome = TypeVar("AnyOutcome", bound=Outcome)


class Recorder:
    """Listener that keeps the evidence of a run and its file.

    Args:
        publish: is handed the evidence when the run is over; gives lines for the console.

    Attributes:
        environment: facts of where the run takes place.
        storage: what the run's checkpoints take: made, size, kept, and whether the run has removed what it made.
        diagnoses: what was found out about failures, in its order.
    """

    ROBOT_LISTENER_PRIORITY = -10  # after RetryFailed, which changes the status of a test that it runs again

    def __init__(self, publish: Callable[[Evidence], Iterable[str]] = lambda _: ()) -> None:
        self._publish = publish
        self._archive = Archive()
        self._forget()

    def _forget(self) -> None:
        self.environment: dict[str, Any] = {}
        self.storage: dict[str, Any] | None = None
        self.diagnoses: list[Diagnosis] = []
        self._root: Any = None
        self._directory = Path()
        self._open: list[Any] = []
        self._notes: dict[int, tuple[Any, Notes]] = {}
        self._retried: dict[str, list[Failure]] = {}
        self._pages: dict[int, Path] = {}
        self._items: dict[str, str] = {}
        self._doc = ""

    @property
    def notes(self) -> Notes:
        """The notes of the test that is running, else of the suite."""
        self._enter_run()
        return self.notes_of(self._open[-1])

    @property
    def since(self) -> datetime:
        """When the test that is running began, else the suite."""
        self._enter_run()
        began: datetime = self._open[-1].start_time
        return began.astimezone()

    @property
    def log_directory(self) -> Path:
        """Where log.html will be, or would be."""
        log = file_of("LOG FILE")
        return log.parent if log else self._directory

    def page_is(self, page: Path) -> None:
        """There are diagnostics of the test that is running, else of the suite."""
        self._enter_run()
        self._pages[id(self._open[-1])] = page

    def page_of(self, item: Any) -> Path | None:
        """The diagnostics of a test or suite, where there are any."""
        return self._pages.get(id(item))

    def start_suite(self, _data: data.TestSuite, result: result.TestSuite) -> None:
        """A suite begins, perhaps with it the run."""
        if running():
            self._enter_run()
            self._begin(result)

    def start_test(self, _data: data.TestCase, result: result.TestCase) -> None:
        """A test begins; should it kill the run, the file names it."""
        if self._root is not None:
            self._begin(result)

    def end_test(self, _data: data.TestCase, result: result.TestCase) -> None:
        """A test is done, or is to be run again."""
        if self._root is None or result not in self._open:
            return
        self._open.remove(result)
        self._items[result.full_name] = failed_item(result)
        self._explain(result, failed=result.failed or _is_retried(result))
        earlier = self._retried.setdefault(result.full_name, [])
        if _is_retried(result):
            earlier.append(Failure(result.message.removesuffix(RETRIED).rstrip("\n")))
        elif earlier:
            # Indented, so that its cause is not taken for the cause of the last failure.
            result.message += f"\n\nIt failed first with:\n{indent(earlier[0].message, '  ')}"
        self.write()

    def end_suite(self, _data: data.TestSuite, result: result.TestSuite) -> None:
        """A suite is done."""
        if self._root is not None and result in self._open:
            self._open.remove(result)
            self._items[result.full_name] = failed_item(result)
            self._explain(result, failed=result.failed and bool(result.message))
            gathered = self._gather(complete=False)
            self._archive.wanted = bool(gathered.worst_blame)
            self._root.metadata.update(summary.lines(gathered.summary()))
            self._root.doc = head.of(gathered, self._places(), self._doc)
            self.write()

    def close(self) -> None:
        """The run is over: the last version of the file, and where it is."""
        if self._root is None:
            return
        gathered = self._gather(complete=True)
        file = evidence.write(gathered, self._directory)
        self._tell(gathered, file, list(self._publish(gathered)))
        self._forget()

    def write(self) -> Path:
        """Writes the file as of now and returns its path."""
        self._enter_run()
        return evidence.write(self._gather(complete=False), self._directory)

    def log_message(self, message: output.Message) -> None:
        """A step that failed says a cause that may turn out to be another's symptom: it is told as such."""
        if message.level == "FAIL":
            message.message = so_far(message.message)

    def _enter_run(self) -> None:
        """Takes up the run that is going on; a library that is imported amid a suite has missed its start."""
        suite = current_suite()
        root = suite
        while root.parent:
            root = root.parent
        if root is not self._root:
            self._forget()
            self._root, self._doc = root, root.doc
            self._directory = Path(BuiltIn().get_variable_value("${OUTPUT DIR}"))
            self._open = [suite]
            kinds = {kind: file_of(f"{kind.upper()} FILE") for kind in ("output", "log", "report")}
            self._archive.begin(self._directory, LEDGER.run_id, {kind: file for kind, file in kinds.items() if file})

    def _begin(self, item: Any) -> None:
        if item not in self._open:
            self._open.append(item)
        self.write()
        flush_output()

    def notes_of(self, item: Any) -> Notes:
        """What was handed in while that test or suite was running."""
        return self._notes.setdefault(id(item), (item, Notes()))[1]  # with the item, so that its id stays its own

    def _explain(self, result: Any, *, failed: bool) -> None:
        """Gives the message of a failure its cause, and what was found out about it."""
        if not failed or result.message == evidence.STOPPED:
            return
        message = result.message.removesuffix(RETRIED if _is_retried(result) else "").rstrip("\n")
        result.message = f"{self._told(message)}{result.message[len(message) :]}"

    def _told(self, message: str) -> str:
        """A failure's message with its cause, and what was found out about it."""
        if diagnosis := self._diagnosis(message):
            message = diagnosis.told(message)
        cause = cause_of_message(message)
        if cause_of_text(message) is None and cause.name != "unknown":
            message = f"{message}\nCause: {cause}".lstrip("\n")
        return message

    def _diagnosis(self, message: str) -> Diagnosis | None:
        """The newest one about a failure that this text tells."""
        return next((one for one in reversed(self.diagnoses) if one.is_about(message)), None)

    def _gather(self, *, complete: bool) -> Evidence:
        tests: list[Outcome] = [self._outcome(Outcome, test) for test in _last_attempts(self._root)]
        suites: list[Outcome] = [self._outcome(SuiteOutcome, suite) for suite in _suites(self._root)]
        return Evidence(
            run_id=LEDGER.run_id,
            start=self._root.start_time,
            end=datetime.now(),
            complete=complete,
            robot=get_version(),
            environment=self.environment,
            tests=evidence.explained(tests, suites),
            suites=suites,
            storage=self.storage,
        )

    def _places(self) -> Places:
        log, report = file_of("LOG FILE"), file_of("REPORT FILE")
        base = (report or log or self._directory / "report.html").parent
        everybody = [*_last_attempts(self._root), *_suites(self._root)]
        # Listeners are not called for tests in a suite whose set-up has failed.
        items = {one.full_name: one.id for one in everybody} | self._items
        pages = {one.full_name: relative(page, base) for one in everybody if (page := self.page_of(one))}
        archive = relative(self._archive.path, base) if self._archive.wanted and (log or report) else ""
        return Places(relative(log, base) if log else "", items, pages, archive)

    def _outcome(self, kind: type[AnyOutcome], item: Any) -> AnyOutcome:
        going = item in self._open
        elapsed = datetime.now() - item.start_time if going else item.elapsed_time
        status = evidence.FAIL if _is_retried(item) else item.status
        # Listeners are not called for what stands in a suite whose set-up has failed.
        message = self._told(item.message) if status == evidence.FAIL and item.message else item.message
        return kind(
            suite=item.parent.full_name if item.parent else "",
            name=item.name,
            status=RUNNING if going else status,
            message=message,
            start=item.start_time,
            duration=elapsed.total_seconds(),
            notes=self.notes_of(item),
            retried=tuple(self._retried.get(item.full_name, ())),
            diagnosis=self._diagnosis(item.message) if status == evidence.FAIL else None,
            source=item.source,
            line=getattr(item, "lineno", None),
        )

    def _tell(self, gathered: Evidence, file: Path, published: list[str]) -> None:
        console = talking_console()
        if console is None:
            return
        for test, failure in evidence.failed([*gathered.tests, *gathered.suites]):
            console.write(f"cause: {failure.cause} - {test.name}\n")
        if worst := gathered.worst_blame:
            console.write(f"Whose fault: {worst}\n")
        for title, text in summary.lines(evidence.redacted(gathered.summary())):
            console.write(f"{title}: {text}\n")
        console.write("Evidence: ")
        console.link(file)
        console.write("".join(f"\n{line}" for line in published) + "\n")


def _is_retried(item: Any) -> bool:
    return bool(item.status == evidence.SKIP and item.message.endswith(RETRIED))


def _suites(suite: Any) -> list[Any]:
    return [suite, *(one for child in suite.suites for one in _suites(child))]


def _last_attempts(root: Any) -> list[Any]:
    """All tests in their order, without attempts that were followed by another."""
    return [
        test
        for suite in _suites(root)
        for number, test in enumerate(suite.tests)
        if not (_is_retried(test) and any(later.name == test.name for later in list(suite.tests)[number + 1 :]))
    ]
