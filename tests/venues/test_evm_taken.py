"""Who used up a nonce: found wherever it is, by evidence alone."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent_where.venues._evm.taken import Taker, taker_of
from tests.venues.test_evm_rpc import SIGNER, chain

OTHER = "0x" + "9" * 40


def tx_hash(block: int) -> str:
    return f"0x{block:064x}"


def history(blocks: list[int], *, keeps: int | None = None) -> Any:
    """A node on whose chain the signer's nonces 0, 1 and so on are in these blocks.

    Args:
        keeps: the oldest block whose state it has; None: of all.
    """

    def reply(asked: dict[str, Any]) -> dict[str, Any]:
        where = 1 if asked["method"] == "eth_getTransactionCount" else 0
        number = int(asked["params"][where], 16)
        if asked["method"] == "eth_getTransactionCount":
            if keeps is not None and number < keeps:
                return {"error": {"code": -32000, "message": "missing trie node"}}
            return {"result": hex(sum(block <= number for block in blocks))}
        ours = [
            {"hash": tx_hash(nonce), "from": SIGNER, "nonce": hex(nonce)}
            for nonce, block in enumerate(blocks)
            if block == number
        ]
        others = [{"hash": tx_hash(10**6), "from": OTHER, "nonce": hex(at)} for at in range(3)]
        return {"result": {"number": hex(number), "transactions": [*others, *ours]}}

    return reply


@given(st.lists(st.integers(1, 400), max_size=8).map(sorted), st.integers(0, 9), st.data())
def test_whoever_took_a_nonce_is_found_in_the_block_that_holds_it(
    blocks: list[int], nonce: int, data: st.DataObject
) -> None:
    last = data.draw(st.integers(-5, 500))

    found = taker_of(chain(history(blocks)), SIGNER, nonce, last)

    is_there = nonce < len(blocks) and blocks[nonce] <= last
    assert found == (Taker(tx_hash(nonce), blocks[nonce]) if is_there else None)


@given(st.integers(1, 400), st.integers(1, 400))
def test_no_state_older_than_twice_the_way_back_is_asked_for(block: int, depth: int) -> None:
    last = block + depth
    node = history([block], keeps=max(block - depth - 2, 0))

    assert taker_of(chain(node), SIGNER, 0, last) == Taker(tx_hash(0), block)


def test_a_node_without_the_state_of_then_shows_nothing() -> None:
    assert taker_of(chain(history([10], keeps=50)), SIGNER, 0, 100) is None
    assert taker_of(chain(history([10], keeps=200)), SIGNER, 0, 100) is None


def test_a_node_that_lacks_the_block_shows_nothing() -> None:
    whole = history([10])

    def reply(asked: dict[str, Any]) -> Any:
        return {"result": None} if asked["method"] == "eth_getBlockByNumber" else whole(asked)

    assert taker_of(chain(reply), SIGNER, 0, 100) is None
