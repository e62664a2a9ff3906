"""One house for all tests of the campaign, and a stage in it for each."""

from collections.abc import Iterator

import pytest

from tests.faults.house import House
from tests.faults.stage import Stage, staged


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("faults"))
    yield made
    made.close()


@pytest.fixture
def stage(house: House) -> Iterator[Stage]:
    with staged(house, Stage) as made:
        yield made
