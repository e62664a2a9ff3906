"""Children of `make run`: nothing of them outlives it, and a failure tells what its log says."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.processes import Child, StepFailed, end_leftovers, run, start, wait_until

GRANDCHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def started(folder: Path, script: str) -> Child:
    return start(
        "child",
        [sys.executable, "-c", script],
        environment=os.environ,
        log=folder / "log",
        notes=folder / "running",
    )


def first_line(child: Child) -> str | None:
    line, whole, _ = child.log.read_text().partition("\n")
    return line if whole else None


def runs(pid: int) -> bool:
    """Whether it lives; one that ended and was not reaped does not."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not runs(pid)


def test_stopping_a_child_ends_what_it_started_too(tmp_path: Path) -> None:
    child = started(tmp_path, GRANDCHILD)
    grandchild = int(wait_until(child, lambda: first_line(child), seconds=10))

    child.stop()
    child.stop()

    assert gone(grandchild)
    assert gone(child.process.pid)
    assert not child.note.exists()


def test_what_a_crashed_run_left_behind_is_ended_by_the_next(tmp_path: Path) -> None:
    child = started(tmp_path, "import time; print('up', flush=True); time.sleep(60)")
    wait_until(child, lambda: first_line(child), seconds=10)

    end_leftovers(tmp_path / "running")

    child.process.wait(timeout=5)
    assert not child.note.exists()


def test_a_note_never_ends_a_stranger_that_was_given_the_number_later(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    stranger = subprocess.Popen(command, start_new_session=True)
    try:
        (tmp_path / "running").mkdir()
        (tmp_path / "running" / "child").write_text(f"{stranger.pid} 1")

        end_leftovers(tmp_path / "running")

        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_child_that_ends_before_it_answers_is_a_failed_step(tmp_path: Path) -> None:
    child = started(tmp_path, "raise SystemExit('no room')")

    with pytest.raises(StepFailed, match="child ended by itself") as caught:
        wait_until(child, lambda: None, seconds=10)
    child.stop()

    assert caught.value.tail() == "no room"


def test_a_command_that_fails_tells_its_code_and_the_end_of_its_log(tmp_path: Path) -> None:
    script = "print('\\n'.join(map(str, range(100)))); raise SystemExit(3)"

    with pytest.raises(StepFailed, match="a step ended with code 3") as caught:
        run(
            "a step",
            [sys.executable, "-c", script],
            environment=os.environ,
            log=tmp_path / "log",
            seconds=10,
        )

    assert caught.value.tail().endswith("98\n99")


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="longer than 1 s"):
        run(
            "a step",
            [sys.executable, "-c", "import time; time.sleep(60)"],
            environment=os.environ,
            log=tmp_path / "log",
            seconds=1,
        )
