"""Child processes, each in a group of its own: start, wait for an answer, end with all it started.

A running child is noted in a file, so that a start after a crash ends what the crash left behind.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from local.environment import ROOT

_Found = TypeVar("_Found")

_POLL_SECONDS = 0.05
_PATIENCE_SECONDS = 10.0
_TAIL_LINES = 30


class StepFailed(Exception):
    """A step of the local deployment failed.

    Args:
        message: one sentence that says what failed.
        log: where to read more, if anything was written.
    """

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log

    def tail(self) -> str:
        """The last lines of the log, or nothing."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])


@dataclass(frozen=True, slots=True)
class Child:
    """A process that stays up until `stop`."""

    name: str
    process: subprocess.Popen[bytes]
    note: Path
    log: Path

    def stop(self) -> None:
        """End it and everything it started; a second call does nothing."""
        _end(self.process)
        self.note.unlink(missing_ok=True)


def start(
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    notes: Path,
) -> Child:
    """Start a child and note it.

    Args:
        command: its program and arguments; it runs in the repository's root.
        notes: the folder that remembers which children run.
    """
    notes.mkdir(parents=True, exist_ok=True)
    note = notes / name
    process = _spawn(command, environment, log)
    note.write_text(f"{process.pid} {_began(process.pid)}")
    return Child(name, process, note, log)


def end_leftovers(notes: Path) -> None:
    """End what an earlier run that crashed left behind; only one run may use these notes."""
    if notes.exists():
        for note in notes.iterdir():
            _end_leftover(note)


def wait_until(child: Child, ready: Callable[[], _Found | None], *, seconds: float) -> _Found:
    """What `ready` returns as soon as it is not None.

    Raises:
        StepFailed: the child ended, or the time is up.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if _ended(child.process):
            raise StepFailed(f"{child.name} ended by itself", child.log)
        if (found := ready()) is not None:
            return found
        time.sleep(_POLL_SECONDS)
    raise StepFailed(f"{child.name} did not answer within {seconds:.0f} s", child.log)


def run(
    name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path, seconds: float
) -> None:
    """Run a command to its end, its output into the log.

    Raises:
        StepFailed: it ended with another code than 0, or the time is up.
    """
    process = _spawn(command, environment, log)
    deadline = time.monotonic() + seconds
    try:
        while not _ended(process):
            if time.monotonic() > deadline:
                raise StepFailed(f"{name} took longer than {seconds:.0f} s", log)
            time.sleep(_POLL_SECONDS)
    finally:
        _end(process)
    if process.returncode != 0:
        raise StepFailed(f"{name} ended with code {process.returncode}", log)


def _spawn(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a child's group to end, and after a while make it. Its leader is reaped last.

    Until then nobody else can have its number, so no signal can hit a stranger.
    """
    if process.returncode is not None:
        return
    if not _ended(process):
        os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _ended(process) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a child has ended; it is not reaped."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end_leftover(note: Path) -> None:
    """End the group that a note names while its leader is the one the note was written for."""
    pid, _, began = note.read_text().partition(" ")
    for what in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _PATIENCE_SECONDS
        if began and _began(int(pid)) == began:
            os.killpg(int(pid), what)
        while began and _began(int(pid)) == began and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    note.unlink()


def _began(pid: int) -> str:
    """When a process began, in the kernel's ticks: with the pid it names one process for good."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
