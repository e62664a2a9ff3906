"""A fresh world for each test."""

from collections.abc import Iterator

import pytest

from tests.world import World


@pytest.fixture
def world(database_dsn: str) -> Iterator[World]:
    made = World(database_dsn)
    yield made
    made.dispose()
