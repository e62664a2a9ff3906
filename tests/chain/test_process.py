"""The venue as a child process, as `make run` starts it; and the contracts' compiler."""

import json
from pathlib import Path

import pytest
import urllib3

from agent_where.venues._http import JsonHttp
from local.chain import build
from local.chain.rpc import Rpc
from local.environment import Home
from local.processes import StepFailed
from local.venues import start_venues
from tests.chain.desk import NOBODY, USER


def test_the_venue_runs_beside_the_other_one_and_leaves_nothing_behind(tmp_path: Path) -> None:
    home = Home(tmp_path)
    child, venues = start_venues(home, chain=True)
    try:
        assert venues.ostium_rpc is not None
        node = Rpc(venues.ostium_rpc)
        assert node.number("eth_chainId") == 42161
        funding = json.dumps({"address": USER, "eth": 5}).encode()
        JsonHttp().post(f"{venues.ostium_rpc}/simulator/fund", funding)
        assert node.number("eth_getBalance", USER, "latest") == 5 * 10**18
        assert len(node.ask("eth_getCode", venues.ostium_registry, "latest")) > 2
        node.close()
    finally:
        child.stop()

    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.request("POST", venues.ostium_rpc, retries=False)
    assert list(home.running.iterdir()) == []


def test_what_has_not_changed_is_not_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = build.artefacts()
    build.artefacts.cache_clear()
    monkeypatch.setattr(build, "_COMPILER", Path(NOBODY))

    assert build.artefacts() == before


def test_what_the_compiler_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Wrong.sol").write_text("pragma solidity 0.8.37; contract Wrong { nonsense }")
    monkeypatch.setattr(build, "_SOURCES", tmp_path)
    monkeypatch.setattr(build, "_KEPT", tmp_path / "kept")
    build.artefacts.cache_clear()

    with pytest.raises(StepFailed, match="ParserError"):
        build.artefacts()
    build.artefacts.cache_clear()


def test_a_compiler_that_is_not_there_is_asked_for_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_KEPT", tmp_path)
    monkeypatch.setattr(build, "_COMPILER", tmp_path / "solc.js")
    build.artefacts.cache_clear()

    with pytest.raises(StepFailed, match="make"):
        build.artefacts()
    build.artefacts.cache_clear()
