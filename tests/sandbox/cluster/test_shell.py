"""The small shell, in virtual time, beside the real one where there is one."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from sandbox.runtime import clocks, shell
from sandbox.runtime.files import FileTree, Mount, Volume
from sandbox.runtime.logs import Log
from sandbox.runtime.shell.builtins import BUILTINS
from sandbox.runtime.shell.commands import COMMANDS, Place
from sandbox.runtime.shell.machine import Machine
from sandbox.runtime.shell.tokens import Unsupported
from sandbox.runtime.surroundings import Host, Surroundings

SECOND = 10**9
SCRIPTS = [
    "echo one; echo two",
    'i=0; while [ $i -lt 3 ]; do i=$((i+1)); echo "n $i"; done',
    "for x in a 'b c' $(echo d e); do echo \"<$x>\"; done",
    "A=3; echo \"$A ${B:-none} `echo q`\" '$A' \\$A",
    "false || echo or; true && echo and; ! true || echo not",
    "if [ -f /nope ]; then echo y; elif [ 1 -gt 2 ]; then echo z; else echo n; fi",
    "printf '%s-%s\\n' a b c d; printf '%03d|%5s|\\n' 7 x",
    "printf '%s %s %s' a b c | sha256sum | cut -c1-16",
    "echo hello | tr a-z A-Z; echo a1b2 | tr -d '0-9'",
    "seq 3; seq 2 4; echo a b c | cut -d' ' -f2",
    "echo $((2 * (3 + 4) - 5 % 3)) $((010 > 9))",
    "while :; do echo x; break; done; echo after",
    "sh -c 'echo inner; exit 4'; echo $?",
    "set -e; true; false || true; echo here; false; echo not here",
    "{ echo a; echo b; }; (echo c)",
    "x='a  b'; echo $x; echo \"$x\"",
    "echo a >&2; echo b 2>/dev/null",
    "exec echo last; echo never",
    "(exit 3); echo $?; exit 5",
    "echo abc | wc -c; printf 'a\\nb\\nc\\n' | head -n 2; printf 'a\\nb\\nc\\n' | tail -n 1",
    "unset A; A=1; export A; sh -c 'echo $A'",
    "cd /tmp; pwd",
    "# a comment\necho a # another\n\necho b",
    "seq 5 > n; exec 3< n 4> out; read -r a <&3; read -r b c <&3; echo $a-$b-$c >&4; cat out",
    "seq 3 > n; exec 3< n; rm n; read -r a <&3; cat <&3; read -r b <&3; echo $? $a",
    "exec 4> out; (echo inner >&4); echo outer >&4; echo x > out; echo more >&4; wc -c < out",
    "echo a > f; exec 5>> f; echo b >&5; echo c > f; echo d >&5; cat f",
    "echo 'one two three' > f; read -r x y < f; echo \"$y\"; read -r z < f; echo $z",
    "touch f; chmod 640 f; stat -c %a f; chmod u+x,o=r f; stat -c '%a %s' f",
]


def run(script, seconds=0.0, files=None):
    """The machine and the log after a script ran for so long."""
    log = Log()
    place = Place(files or FileTree({}), "host", {})
    machine = Machine.start(["sh", "-c", script], place, log.write, 0)
    machine.advance(int((seconds or 1000) * SECOND))
    return machine, log


def text(log, stream="stdout"):
    """What a stream got."""
    return "".join(line.text.decode() + "\n" for line in log.lines if line.stream == stream)


@pytest.mark.skipif(not shutil.which("sh"), reason="needs a real sh to compare with")
@pytest.mark.parametrize("script", SCRIPTS)
def test_it_does_what_the_real_one_does(script, tmp_path):
    real = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}, cwd=tmp_path
    )
    machine, log = run(script)
    assert (text(log), text(log, "stderr"), machine.exit_code) == (real.stdout, real.stderr, real.returncode)


@pytest.mark.parametrize(
    "script",
    [
        "case $x in a) echo a;; esac",
        "cat <<E\nx\nE",
        "f() { echo x; }; f",
        "echo ${x%y}",
        "while true; do echo x; done | cat",
        "echo x >&3",
        "cat <&4",
        "exec > all",
        "read line",
        "touch f; stat -c %U f",
        "touch f; chmod +t f",
        "echo 'open",
    ],
)
def test_what_it_does_not_know_it_refuses(script):
    with pytest.raises(Unsupported):
        run(script)


def test_time_passes_only_when_it_is_looked_at():
    machine, log = run("echo a; sleep 5; echo b; sleep infinity", 1)
    assert text(log) == "a\n"
    assert machine.next_due == pytest.approx(5 * SECOND, abs=SECOND / 10)
    machine.advance(6 * SECOND)
    assert text(log) == "a\nb\n"
    assert machine.exit_code is None
    assert machine.next_due is None


def test_an_endless_loop_needs_no_timer_and_ends_no_test():
    machine, log = run("while true; do date +%s; sleep 1; done", 10)
    assert text(log).split() == [str(n) for n in range(10)]
    assert machine.next_end is None
    busy, _ = run("while :; do :; done", 1)
    assert busy.exit_code is None


def test_read_takes_the_fields_of_a_line_of_a_file():
    script = r"""
    printf 'one two  three four \nnext\n' > /tmp/f; read -r a b c < /tmp/f; echo "$?|$a|$b|$c"
    printf 'no end' > /tmp/f; read -r a b c < /tmp/f; echo "$?|$a|$b|$c"
    : > /tmp/f; read -r a < /tmp/f; echo "$?|$a"; echo x > /tmp/g; cat < /tmp/g
    if [ -s /tmp/f ]; then read -r a < /tmp/f; else echo empty; fi; read -r a < /tmp/nope; echo "$?"
    """
    machine, log = run(script)
    assert text(log).splitlines() == ["0|one|two|three four", "1|no|end|", "1|", "x", "empty", "1"]
    assert text(log, "stderr") == "sh: can't open /tmp/nope: No such file or directory\n"
    assert machine.exit_code == 0


def test_background_jobs_and_wait():
    machine, log = run("(sleep 2; echo two) & (sleep 1; echo one) & wait; echo all", 10)
    assert text(log) == "one\ntwo\nall\n"
    assert machine.exit_code == 0


def test_redirections_reach_the_file_tree():
    files = FileTree({"/etc/version": b"base\n"})
    _, log = run(
        "echo a > /srv/f; echo b >> /srv/f; cat /srv/f; echo new > /etc/version; cat /nope; echo x > /nope/f",
        files=files,
    )
    assert text(log) == "a\nb\n"
    assert text(log, "stderr").splitlines() == [
        "cat: /nope: No such file or directory",
        "sh: can't create /nope/f: No such file or directory",
    ]
    assert files.read("/etc/version") == b"new\n"
    assert files.layer == {"/srv/f": b"a\nb\n", "/etc/version": b"new\n"}


def test_what_proc_says_of_times():
    """The node's clock was set an hour ahead; the boot moves with it, and how long ago it was does not."""
    host = Host("n", ahead=3600 * SECOND, booted=-100 * SECOND)
    files = FileTree(clocks.shown("a long name of a process", 2 * SECOND + 15_000_000, host))
    log = Log()
    script = "cat /proc/uptime; sleep 5; read -r up idle < /proc/uptime; echo $up; cat /proc/1/stat /proc/self/stat"
    place = Place(files, "host", {}, around=Surroundings(host))
    Machine.start(["sh", "-c", f"{script}; cat /proc/stat | wc -l; cat /proc/stat"], place, log.write, 0).advance(
        10 * SECOND
    )
    first, later, of_first, of_reader, lines, *system = text(log).splitlines()
    assert [float(one.split()[0]) for one in (first, later)] == pytest.approx([100, 105], abs=0.1)
    assert of_first.startswith("1 (a long name of ) S 0 ")
    starts = [one.rpartition(") ")[2].split()[19] for one in (of_first, of_reader)]
    assert starts[0] == "10201"
    assert int(starts[1]) == pytest.approx(10_500, abs=10)
    assert int(lines) == len(system)
    assert f"btime {3600 - 100}" in system


def test_mounts_are_shared_and_may_be_read_only():
    shared, fixed = Volume(), Volume({"key": b"value"}, read_only=True)
    one = FileTree({}, (Mount("/v", shared), Mount("/c", fixed)))
    other = FileTree({}, (Mount("/w", shared),))
    _, log = run("echo x > /v/f; ls /v /c; echo y > /c/key", files=one)
    assert text(log) == "/v:\nf\n/c:\nkey\n"
    assert "Read-only file system" in text(log, "stderr")
    assert other.read("/w/f") == b"x\n"
    assert one.layer == {}


def test_the_commands_are_those_that_are_stated():
    lines = [line for line in shell.__doc__.splitlines() if line.startswith("- ")]
    stated = {word for line in lines for word in line.partition(": ")[2].partition(";")[0].split()}
    assert stated == set(COMMANDS) | set(BUILTINS)
