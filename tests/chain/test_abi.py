"""The compiled contracts speak the venue's published ABI: the facts are in abi.tsv."""

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.chain.build import artefacts
from tests.chain.desk import identity, kind, signature

with Path(__file__).with_name("abi.tsv").open(encoding="ascii", newline="") as lines:
    FACTS = tuple(csv.DictReader(lines, delimiter="\t"))
MOST_BYTES_OF_CODE = 24_576


@pytest.mark.parametrize("contract", sorted({fact["contract"] for fact in FACTS}))
def test_every_published_function_event_and_error_is_there(contract: str) -> None:
    compiled = {
        (entry["type"], signature(entry)): entry
        for entry in artefacts()[contract].abi
        if "name" in entry
    }

    for fact in (one for one in FACTS if one["contract"] == contract):
        entry = compiled[fact["kind"], fact["signature"]]
        assert identity(entry).hex().startswith(fact["id"])
        assert more(entry) == fact["more"], fact


def test_every_contract_fits_into_what_a_chain_takes() -> None:
    assert {one.name for one in artefacts().values() if len(one.code) > MOST_BYTES_OF_CODE} == set()


def more(entry: Mapping[str, object]) -> str:
    """A function's outputs; which of an event's inputs are indexed."""
    match entry:
        case {"type": "function", "outputs": list(outputs)}:
            return ",".join(kind(one) for one in outputs)
        case {"type": "event", "inputs": list(inputs)}:
            return "".join("i" if one["indexed"] else "-" for one in inputs)
        case _:
            return ""
