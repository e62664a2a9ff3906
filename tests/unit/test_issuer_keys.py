"""The issuer's keys: asked for seldom, changed when it changes them, kept while it is away."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from agent_where.errors import Unavailable
from agent_where.issuer import FRESH_SECONDS, PAUSE_SECONDS, USABLE_SECONDS, IssuerKeys
from tests.issuer import Issuer, Mode, ec_key, rsa_key


@dataclass
class Clock:
    """Seconds since 1970, moved by hand."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as made:
        yield made


@pytest.fixture
def keys(issuer: Issuer, clock: Clock) -> IssuerKeys:
    return IssuerKeys.at(issuer.jwks_url, clock)


BROKEN = [mode for mode in Mode if mode not in (Mode.WELL, Mode.SILENT, Mode.DRIPPING)]


def test_nothing_is_asked_before_a_key_is_needed(keys: IssuerKeys, issuer: Issuer) -> None:
    assert issuer.asked == 0


def test_the_keys_are_asked_for_once_and_then_held(
    keys: IssuerKeys, issuer: Issuer, clock: Clock
) -> None:
    for _ in range(10):
        found = keys.find("first")
        assert found is not None
        assert found.public == issuer.key.private.public_key()
        clock.now += (FRESH_SECONDS - 1) / 10

    assert (issuer.asked, issuer.paths) == (1, {"/.well-known/jwks.json"})


def test_after_five_minutes_the_keys_are_asked_for_again(
    keys: IssuerKeys, issuer: Issuer, clock: Clock
) -> None:
    keys.find("first")
    old = issuer.key
    issuer.rotate()
    clock.now += FRESH_SECONDS

    assert keys.find(old.id) is None
    assert issuer.asked == 2


def test_a_new_key_is_followed_at_once(keys: IssuerKeys, issuer: Issuer, clock: Clock) -> None:
    keys.find("first")
    clock.now += PAUSE_SECONDS

    for _ in range(3):
        key = issuer.rotate()
        found = keys.find(key.id)
        assert found is not None
        assert found.public == key.private.public_key()
        clock.now += PAUSE_SECONDS

    assert issuer.asked == 4


def test_old_and_new_keys_hold_while_both_are_published(
    keys: IssuerKeys, issuer: Issuer, clock: Clock
) -> None:
    keys.find("first")
    issuer.published = [issuer.key.jwk(), ec_key("second").jwk()]
    clock.now += PAUSE_SECONDS

    assert keys.find("second") is not None
    assert keys.find("first") is not None
    assert issuer.asked == 2


def test_ids_at_random_cannot_hammer_the_issuer(
    keys: IssuerKeys, issuer: Issuer, clock: Clock
) -> None:
    seconds = 60
    for _ in range(seconds * 10):
        assert keys.find(str(uuid4())) is None
        clock.now += 0.1

    assert issuer.asked <= seconds / PAUSE_SECONDS + 1


def test_ids_at_random_hold_up_a_rotation_for_seconds_only(
    keys: IssuerKeys, issuer: Issuer, clock: Clock
) -> None:
    keys.find(str(uuid4()))
    key = issuer.rotate()
    assert keys.find(key.id) is None

    clock.now += PAUSE_SECONDS

    assert keys.find(key.id) is not None


@pytest.mark.parametrize("mode", BROKEN)
def test_without_keys_nobody_can_tell_and_it_recovers_by_itself(
    keys: IssuerKeys, issuer: Issuer, clock: Clock, mode: Mode
) -> None:
    issuer.mode = mode
    with pytest.raises(Unavailable):
        keys.find("first")

    issuer.mode = Mode.WELL
    clock.now += 1

    assert keys.find("first") is not None


def test_an_issuer_that_is_down_is_not_hammered_either(
    keys: IssuerKeys, issuer: Issuer, clock: Clock
) -> None:
    issuer.mode = Mode.SERVER_ERROR
    for _ in range(100):
        with pytest.raises(Unavailable):
            keys.find(str(uuid4()))
        clock.now += 0.1

    assert issuer.asked <= 11


@pytest.mark.parametrize("mode", BROKEN)
def test_held_keys_stay_usable_for_an_hour_while_the_issuer_is_away(
    keys: IssuerKeys, issuer: Issuer, clock: Clock, mode: Mode
) -> None:
    keys.find("first")
    began = clock.now
    issuer.mode = mode
    for minutes in (5, 30, 59):
        clock.now = began + minutes * 60
        assert keys.find("first") is not None

    clock.now = began + USABLE_SECONDS

    with pytest.raises(Unavailable):
        keys.find("first")


def test_while_the_issuer_is_away_it_is_asked_once_in_ten_seconds(
    keys: IssuerKeys, issuer: Issuer, clock: Clock
) -> None:
    keys.find("first")
    clock.now += FRESH_SECONDS
    issuer.mode = Mode.SERVER_ERROR
    for _ in range(100):
        assert keys.find("first") is not None
        clock.now += 1

    assert issuer.asked == 1 + 100 / PAUSE_SECONDS


def test_nobody_can_tell_about_a_new_key_while_the_issuer_is_away(
    keys: IssuerKeys, issuer: Issuer, clock: Clock
) -> None:
    keys.find("first")
    key = issuer.rotate()
    issuer.mode = Mode.SERVER_ERROR
    clock.now += PAUSE_SECONDS
    for _ in range(2):
        with pytest.raises(Unavailable):
            keys.find(key.id)

    issuer.mode = Mode.WELL
    clock.now += PAUSE_SECONDS

    assert keys.find(key.id) is not None


def test_an_issuer_that_takes_all_its_keys_back_is_believed(
    keys: IssuerKeys, issuer: Issuer, clock: Clock
) -> None:
    keys.find("first")
    issuer.published = [rsa_key("short", 1024).jwk()]
    clock.now += FRESH_SECONDS

    assert keys.find("first") is None
    assert keys.find("short") is None


@pytest.mark.parametrize("back", [1, FRESH_SECONDS, USABLE_SECONDS * 24])
def test_a_clock_that_jumps_back_makes_it_ask_again(
    keys: IssuerKeys, issuer: Issuer, clock: Clock, back: float
) -> None:
    keys.find("first")
    clock.now -= back

    assert keys.find("first") is not None
    assert issuer.asked == 2


def test_a_redirect_is_not_followed(keys: IssuerKeys, issuer: Issuer) -> None:
    issuer.mode = Mode.REDIRECT
    with pytest.raises(Unavailable):
        keys.find("first")

    assert (issuer.asked, issuer.paths) == (1, {"/.well-known/jwks.json"})


@pytest.mark.parametrize("mode", [Mode.SILENT, Mode.DRIPPING])
def test_a_slow_issuer_is_not_waited_for(keys: IssuerKeys, issuer: Issuer, mode: Mode) -> None:
    issuer.mode = mode
    began = time.monotonic()
    with pytest.raises(Unavailable):
        keys.find("first")

    assert time.monotonic() - began < 3.5


def test_an_issuer_that_nobody_hears_of_is_away(clock: Clock) -> None:
    with Issuer() as gone:
        url = gone.jwks_url

    with pytest.raises(Unavailable):
        IssuerKeys.at(url, clock).find("first")


def test_that_the_issuer_is_away_is_logged(
    keys: IssuerKeys, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.mode = Mode.SERVER_ERROR
    with pytest.raises(Unavailable):
        keys.find("first")

    assert "the issuer's keys cannot be read: 127.0.0.1: status 500" in caplog.text
