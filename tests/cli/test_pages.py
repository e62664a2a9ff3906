"""Lists follow their pages, up to as many rows as were asked for."""

import json

import pytest

from tests.cli.conftest import Run
from tests.cli.fake_api import Asked, FakeApi, Reply

ROWS = [{"id": f"{number:04}", "name": "é", "venue": "MULTI"} for number in range(250)]


@pytest.mark.parametrize(
    ("limit", "asked", "shown"),
    [
        ((), [("", "100")], 100),
        (("--limit", "1"), [("", "1")], 1),
        (("--limit", "230"), [("", "100"), ("100", "100"), ("200", "30")], 230),
        (("--limit", "1000"), [("", "100"), ("100", "100"), ("200", "100")], 250),
    ],
)
def test_pages_are_followed_up_to_the_limit(
    limit: tuple[str, ...], asked: list[tuple[str, str]], shown: int, api: FakeApi, run: Run
) -> None:
    api.lists("/agents", "agents", ROWS)

    result = run("agents", "list", "--active", *limit)

    assert result.exit_code == 0
    assert [(each.query.get("cursor", ""), each.query["limit"]) for each in api.asked] == asked
    assert {each.query["listed"] for each in api.asked} == {"active"}
    assert len(result.stdout.splitlines()) == 1 + shown
    more = "agent-where: More follow; --limit asks for more.\n"
    assert result.stderr == (more if shown < 250 else "")


def test_the_json_of_several_pages_is_one_document_in_the_shape_of_a_page(
    api: FakeApi, run: Run
) -> None:
    api.lists("/agents", "agents", ROWS)

    result = run("agents", "list", "--limit", "230", "--json")

    told = json.loads(result.stdout)
    assert told == {"success": True, "agents": ROWS[:230], "nextCursor": "230"}
    assert result.stderr == ""


def test_several_pages_keep_the_digits_of_their_numbers(api: FakeApi, run: Run) -> None:
    first = b'{"success": true, "history": [{"n": 1.10, "k": null}], "nextCursor": "c"}'
    last = '{"success": true, "history": [{"n": 0.1000000000000000055, "é": [true]}]}'.encode()
    api.in_turn("GET", "/venue-routing/history", [Reply(first), Reply(last)])

    told = run("history", "--json").stdout

    assert told == (
        '{"success":true,"history":[{"n":1.10,"k":null},{"n":0.1000000000000000055,'
        '"\\u00e9":[true]}],"nextCursor":null}\n'
    )


def test_a_list_that_never_ends_is_left(api: FakeApi, run: Run) -> None:
    api.says("GET", "/positions", {"success": True, "positions": [], "nextCursor": "again"})

    assert run("positions", "--limit", "10000").exit_code == 0
    assert len(api.asked) == 1


def test_a_failure_between_two_pages_is_a_failure(api: FakeApi, run: Run) -> None:
    def page(asked: Asked) -> Reply:
        rows = {"success": True, "positions": [{}], "nextCursor": "next"}
        return Reply({"error": "gone"}, 404) if asked.query.get("cursor") else Reply(rows)

    api.on("GET", "/positions", page)

    result = run("positions")

    assert result.exit_code == 1
    assert result.stdout == ""
