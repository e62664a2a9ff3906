"""A signal's id is known before it travels, and the same id is the same signal."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from agent_where_cli import signal_ids
from agent_where_cli.client import ATTEMPTS
from tests.cli.conftest import Run
from tests.cli.examples import AGENT, SIGNAL
from tests.cli.fake_api import TOKEN, Asked, FakeApi, Reply, failure

SEND = ("signal", "send", "--agent", AGENT, "BTC", "LONG", "--usdc", "50")
TAKEN_IN = Reply({"success": True, "signalId": SIGNAL}, 202)
AWAY = Reply(failure("Try later.", "UNAVAILABLE"), 503, headers={"Retry-After": "0"})
GONE = Reply(b"", hangs_up=True)
PROGRAM = Path(sys.executable).with_name("agent-where")


def test_a_new_id_says_when_it_was_made(api: FakeApi, run: Run) -> None:
    api.in_turn("POST", "/signals", [TAKEN_IN])
    before = datetime.now(UTC)

    told = [run(*SEND).stderr for _ in range(2)]

    ids = [UUID(asked.body["signalId"]) for asked in api.asked]
    assert told == [f"agent-where: signal {each}\n" for each in ids]
    assert len(set(ids)) == 2
    for id_, asked in zip(ids, api.asked, strict=True):
        made = signal_ids.made_at(id_)
        assert made is not None
        assert before - timedelta(milliseconds=1) <= made <= datetime.now(UTC)
        assert datetime.fromisoformat(asked.body["createdAt"]) == made
        assert id_.variant == "specified in RFC 4122"


def test_the_same_command_with_the_id_is_the_same_request(api: FakeApi, run: Run) -> None:
    api.in_turn("POST", "/signals", [TAKEN_IN])
    words = (*SEND, "--expires-in", "90s")
    run(*words)

    run(*words, "--id", api.asked[0].body["signalId"])

    assert api.asked[0].body == api.asked[1].body


def test_an_id_without_a_time_leaves_the_time_to_the_api(api: FakeApi, run: Run) -> None:
    api.in_turn("POST", "/signals", [TAKEN_IN])

    run(*SEND, "--id", str(uuid4()))

    assert "createdAt" not in api.asked[0].body
    assert "expiresAt" not in api.asked[0].body


@pytest.mark.parametrize("failing", [AWAY, GONE], ids=["503", "hang-up"])
def test_a_signal_is_sent_again_as_it_was(failing: Reply, api: FakeApi, run: Run) -> None:
    api.in_turn("POST", "/signals", [failing] * (ATTEMPTS - 1) + [TAKEN_IN])

    result = run(*SEND)

    assert result.exit_code == 0
    assert len(api.asked) == ATTEMPTS
    assert all(asked.body == api.asked[0].body for asked in api.asked)
    assert result.stderr.count("Trying again in") == ATTEMPTS - 1


def test_a_signal_is_not_sent_for_ever(api: FakeApi, run: Run) -> None:
    api.in_turn("POST", "/signals", [AWAY])

    result = run(*SEND, "--id", SIGNAL)

    assert result.exit_code == 3
    assert len(api.asked) == ATTEMPTS
    assert result.stderr.endswith(f"The same command with --id {SIGNAL} is safe to repeat.\n")


def test_a_signal_without_an_answer_may_be_repeated_by_its_id(api: FakeApi, run: Run) -> None:
    api.in_turn("POST", "/signals", [Reply(b"", after_seconds=30)])

    result = run(*SEND, "--timeout", "1")

    sent = api.asked[0].body["signalId"]
    assert result.exit_code == 3
    assert len(api.asked) == 1
    assert result.stderr == (
        f"agent-where: signal {sent}\n"
        f"agent-where: No answer from {api.url} in 1 s."
        f" The same command with --id {sent} is safe to repeat.\n"
    )


def test_with_an_id_of_ones_own_the_expiry_is_part_of_the_repeat(api: FakeApi, run: Run) -> None:
    api.in_turn("POST", "/signals", [Reply(b"<html>", 502)])
    own = str(uuid4())

    result = run(*SEND, "--id", own, "--expires-in", "2m")

    expiry = api.asked[0].body["expiresAt"]
    assert f"--id {own}, and --expires-at {expiry} for --expires-in, is safe" in result.stderr


def test_a_refused_signal_is_not_repeated(api: FakeApi, run: Run) -> None:
    api.says("POST", "/signals", failure("Another body.", "CONFLICT"), 409)

    result = run(*SEND)

    assert result.exit_code == 1
    assert len(api.asked) == 1
    assert "repeat" not in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        "send --agent {agent} BTC LONG",
        "send --agent {agent} BTC LONG --usdc 5 --percent 5",
        "send --agent {agent} BTC --usdc 5",
        "send BTC LONG --usdc 5",
        "send --agent me BTC LONG --usdc 5",
        "send --agent {agent} BTC LONG --usdc 5e1",
        "send --agent {agent} BTC LONG --usdc 5,5",
        "send --agent {agent} BTC LONG --usdc 5 --leverage -3",
        "send --agent {agent} BTC LONG --usdc 5 --stop-loss 5%",
        "send --agent {agent} BTC LONG --usdc 5 --expires-in 5",
        "send --agent {agent} BTC LONG --usdc 5 --expires-in 0m",
        "send --agent {agent} BTC LONG --usdc 5 --expires-at tomorrow",
        "send --agent {agent} BTC LONG --usdc 5 --expires-at 2026-01-31T12:00:00",
        "send --agent {agent} BTC LONG --usdc 5 --expires-in 5m --expires-at 2026-01-31T12:00Z",
        "send --agent {agent} BTC LONG --usdc 5 --id 7",
        "close --agent {agent} BTC --side UP",
    ],
)
def test_a_signal_that_is_not_whole_is_not_sent(words: str, api: FakeApi, run: Run) -> None:
    result = run("signal", *words.format(agent=AGENT).split())

    assert result.exit_code == 2
    assert api.asked == []


def test_a_signal_that_cannot_be_sent_has_no_id(run: Run) -> None:
    assert "agent-where: signal" not in run(*SEND, AGENT_WHERE_TOKEN=None).stderr


def test_an_id_of_no_time_that_is_one_carries_none() -> None:
    assert signal_ids.made_at(UUID("ffffffff-ffff-7000-8000-000000000000")) is None
    assert signal_ids.made_at(UUID("e677d21f-dbff-7000-8000-000000000000")) is None


def test_a_truncated_trade_says_so(api: FakeApi, run: Run) -> None:
    api.says("GET", f"/signals/{SIGNAL}", {"success": True, "truncated": True})

    assert "truncated" in run("signal", "show", SIGNAL).stdout


def _heeds_interrupts() -> None:
    """As in a terminal: what a shell runs in its background ignores them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_id_is_told_before_the_answer_and_an_interrupt_tells_how_to_repeat(
    api: FakeApi,
) -> None:
    arrived = threading.Event()

    def never(_: Asked) -> Reply:
        arrived.set()
        return Reply(b"", after_seconds=30)

    api.on("POST", "/signals", never)
    settings = {"AGENT_WHERE_URL": api.url, "AGENT_WHERE_TOKEN": TOKEN, "PATH": os.defpath}
    with subprocess.Popen(
        [PROGRAM, *SEND],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=settings,
        preexec_fn=_heeds_interrupts,  # noqa: PLW1509 nothing but a signal is touched in the child
    ) as program:
        assert program.stderr is not None
        told = program.stderr.readline()
        assert arrived.wait(20)
        program.send_signal(signal.SIGINT)
        _, rest = program.communicate(timeout=20)

    sent = api.asked[0].body["signalId"]
    assert told == f"agent-where: signal {sent}\n"
    assert rest == f"agent-where: The same command with --id {sent} is safe to repeat.\n"
    assert program.returncode == 130
