"""`python profiled.py OUTPUT ARGUMENT...`: Robot Framework with those arguments, its main thread watched.

Writes to OUTPUT, as JSON, the seconds of wall and of processor that the main thread spent in each phase. A thread looks
every few milliseconds where the main thread is: the wall time since the last look is charged to that place, and so is
the processor time that the main thread used meanwhile.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

INTERVAL = 0.005
LIBRARIES = str(Path(__file__).resolve().parents[2] / "libraries")
WAITS = {
    ("waiting.py", "wait_until"),
    ("watching.py", "_changes"),
    ("watching.py", "_pause"),
    ("command.py", "run"),
    ("threading.py", "join"),
    ("threading.py", "wait"),
    ("subprocess.py", "wait"),
    ("subprocess.py", "communicate"),
    ("subprocess.py", "_communicate"),
}
"""Functions in which the harness waits for a change; what is below them and no request is waiting."""
REPORT = ("robot/reporting/", "robot/rebot", "robot/output/", "robot/result/", "ReportLibrary/")
NETWORK = ("/ssl.py", "/socket.py", "http/client.py", "urllib3/connection", "urllib3/response.py")


def phase_of(frame: FrameType | None) -> str:
    """Where the thread is: waiting for the server, network, report, imports, client work or Robot."""
    places = []
    while frame is not None:
        places.append((frame.f_code.co_filename, frame.f_code.co_name))
        frame = frame.f_back
    names = {(Path(file).name, function) for file, function in places}
    files = [file for file, _ in places]
    watches = ("watching.py", "_changes") in names
    if places and any(part in files[0] for part in NETWORK):
        return "waiting for the server" if watches else "network"
    if places and (Path(files[0]).name, places[0][1]) in WAITS:
        return "waiting for the server"
    if "<frozen importlib._bootstrap>" in files:
        return "imports"
    if any(part in file for file in files for part in REPORT):
        return "report"
    return "client work" if any(file.startswith(LIBRARIES) for file in files) else "Robot"


class Watch(threading.Thread):
    """Looks where the main thread is."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="profile")
        self.wall: Counter[str] = Counter()
        self.cpu: Counter[str] = Counter()
        self.begun = time.monotonic()
        self._main = threading.main_thread().ident or 0
        self._clock = time.pthread_getcpuclockid(self._main)

    def run(self) -> None:
        """Until the process ends."""
        wall, cpu = time.monotonic(), time.clock_gettime(self._clock)
        while True:
            time.sleep(INTERVAL)
            phase = phase_of(sys._current_frames().get(self._main))
            now, used = time.monotonic(), time.clock_gettime(self._clock)
            self.wall[phase] += now - wall
            self.cpu[phase] += used - cpu
            wall, cpu = now, used


if __name__ == "__main__":
    output, *arguments = sys.argv[1:]
    watch = Watch()
    watch.start()
    from robot import run_cli

    status = run_cli(arguments, exit=False)
    told = {
        "wall": watch.wall,
        "cpu": watch.cpu,
        "seconds": time.monotonic() - watch.begun,
    }
    Path(output).write_text(json.dumps(told))
    sys.exit(status)
