"""Waits are told of while they go on, and no longer."""

import threading

from harness.progress import Progress
from harness.waiting import Done, Pending, wait_until

WITHIN = 60


class Audience:
    def __init__(self, progress):
        self.told, self.heard, self.over = [], threading.Event(), threading.Event()
        progress.teller = self

    def __call__(self, wait):
        self.told.append(str(wait) if wait else None)
        (self.heard if wait else self.over).set()


def test_a_wait_is_told_of_with_what_is_seen_and_then_over():
    progress = Progress(after=0.0, every=0.01)
    audience = Audience(progress)
    with progress.awaiting("pod web to be Ready", 60, lambda: "pulling"):
        assert audience.heard.wait(WITHIN)
    assert audience.told[0] == "waiting 0 of 60 s for pod web to be Ready: pulling"
    assert audience.told[-1] is None


def test_a_short_wait_is_not_told_of():
    progress = Progress(after=60, every=0.01)
    audience = Audience(progress)
    with progress.awaiting("a", 60, lambda: "b"):
        pass
    assert audience.told == []


def test_what_the_run_waits_for_comes_before_what_goes_on_beside_it():
    progress = Progress(after=0.0, every=0.01)
    audience, done = Audience(progress), threading.Event()

    def beside():
        with progress.awaiting("beside", None, lambda: "b"):
            done.wait(WITHIN)

    with progress.awaiting("main", None, lambda: "m"):
        thread = threading.Thread(target=beside)
        thread.start()
        assert audience.heard.wait(WITHIN)
        done.set()
        thread.join()
    assert not any("beside" in line for line in audience.told if line)


def test_every_wait_is_one(monkeypatch):
    progress = Progress(after=0.0, every=0.01)
    monkeypatch.setattr("harness.waiting.PROGRESS", progress)
    audience = Audience(progress)
    wait_until(
        lambda: Done(1) if audience.heard.is_set() else Pending("status processing"), timeout=WITHIN, expected="an end"
    )
    assert any("for an end: " in line for line in audience.told if line)
    assert audience.over.wait(WITHIN)
