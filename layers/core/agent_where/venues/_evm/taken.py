"""Which transaction used up a nonce, whoever sent it: found in the block that holds it.

A count of transactions and a missing receipt may be of two nodes, one of them behind; a transaction
in a block is evidence. The node has to keep the state of the blocks since.
"""

from typing import NamedTuple

from agent_where.venues._evm.chain import Chain


class Taker(NamedTuple):
    """A transaction, and the block that holds it."""

    tx_hash: str
    block: int


def taker_of(chain: Chain, signer: str, nonce: int, last: int) -> Taker | None:
    """The transaction of a signer that bears a nonce, in a block up to `last`.

    None: it is in none of them, or the node does not show it.

    Raises:
        VenueUnavailable: the chain could not be read.
    """
    block = _first_with(chain, signer, nonce, last) if last > 0 else None
    if block is None:
        return None
    held = chain.full_block(block)
    if held is None or held.number != block:
        return None
    for each in held.transactions:
        if (each.signer, each.nonce) == (signer, nonce):
            return Taker(each.tx_hash, block)
    return None


def _first_with(chain: Chain, signer: str, nonce: int, last: int) -> int | None:
    """The block in which a signer's count passed a nonce. None: none up to `last`, or unknown.

    Backwards in strides that double, so that no state is asked for that is much older than needed.
    """
    high, stride = last, 1
    is_used = _is_used(chain, signer, nonce, high)
    if not is_used:
        return None
    low = max(high - stride, 0)
    while low and (is_used := _is_used(chain, signer, nonce, low)):
        high, stride = low, 2 * stride
        low = max(low - stride, 0)
    while is_used is not None and high - low > 1:
        middle = (low + high) // 2
        is_used = _is_used(chain, signer, nonce, middle)
        low, high = (low, middle) if is_used else (middle, high)
    return None if is_used is None else high


def _is_used(chain: Chain, signer: str, nonce: int, block: int) -> bool | None:
    count = chain.count_at(signer, block)
    return None if count is None else count > nonce
