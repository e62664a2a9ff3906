"""Which key a reference names and where it may be used; a wrong one is told and not repeated."""

import traceback

import pytest

from agent_where.errors import BadSetting
from agent_where.execution.signers import Signers
from tests.unit.signing_keys import ADDRESS, ID, KEY, ORDER, REF, signers


def test_an_environments_key_signs_only_where_that_is_allowed() -> None:
    with pytest.raises(BadSetting, match="env:AGENT_KEY signs only where the database is on"):
        signers(allow_env=False).signer("env:AGENT_KEY")


def test_a_key_in_kms_signs_where_the_environments_may_not() -> None:
    assert signers(allow_env=False).signer(REF).address == ADDRESS


def test_the_environment_of_the_process_is_read_when_a_key_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = Signers(allow_env=True)
    monkeypatch.setenv("AGENT_KEY", f"0x{KEY}")

    assert known.signer("env:AGENT_KEY").address == ADDRESS


@pytest.mark.parametrize(
    "value",
    [
        "",
        KEY[:-1],
        f"{KEY}0",
        f"0x{KEY[:-1]}g",
        f" {KEY}",
        f"{KEY}\n",
        "0" * 64,
        f"{ORDER:064x}",
        "f" * 64,
    ],
)
def test_what_is_no_private_key_is_named_by_its_variable_and_never_repeated(value: str) -> None:
    with pytest.raises(BadSetting, match=r"^AGENT_KEY") as told:
        signers(environment={"AGENT_KEY": value}).signer("env:AGENT_KEY")

    everything = "".join(traceback.format_exception(told.value))
    assert not value or value.strip() not in everything


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(BadSetting, match=r"^AGENT_KEY"):
        signers(environment={}).signer("env:AGENT_KEY")


@pytest.mark.parametrize(
    "key_ref",
    [
        "",
        "kms",
        "kms:",
        "kms:alias/agent",
        "kms:../x",
        f"KMS:{ID}",
        f"{REF} ",
        "env:",
        "env:lower",
        "env:A B",
        "file:/etc/passwd",
        KEY,
        f"0x{KEY}",
    ],
)
def test_a_reference_of_another_form_is_refused_and_not_repeated(key_ref: str) -> None:
    with pytest.raises(BadSetting) as told:
        signers().signer(key_ref)

    assert KEY not in str(told.value)


@pytest.mark.parametrize(
    "name",
    [
        ID,
        f"arn:aws:kms:eu-central-1:123456789012:key/{ID}",
        f"arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/{ID}",
        "mrk-1234abcd12ab34cd56ef1234567890ab",
    ],
)
def test_a_key_in_kms_is_named_by_id_or_arn(name: str) -> None:
    signers().signer(f"kms:{name}")
