"""Which nonces each signer has used: the highest hundred set the floor, none is taken twice."""

import heapq
from dataclasses import dataclass, field

KEPT = 100
_DAY_MS = 24 * 60 * 60 * 1000
_BEFORE_MS = 2 * _DAY_MS
_AFTER_MS = _DAY_MS


@dataclass
class Nonces:
    """Sets by signer: an agent's is its own, and sub-accounts share their signer's."""

    seen: dict[str, set[int]] = field(default_factory=dict)

    def refusal(self, signer: str, nonce: int, now_ms: int) -> str | None:
        """Why a nonce cannot be taken; one that was seen is a duplicate below the floor too."""
        seen = self.seen.get(signer, set())
        oldest, newest = now_ms - _BEFORE_MS, now_ms + _AFTER_MS
        if nonce in seen:
            return f"Invalid nonce: duplicate nonce {nonce}"
        if nonce > newest:
            return f"Invalid nonce: nonce too high {nonce} > {newest}"
        floor = max(oldest, self._floor(seen))
        if nonce < floor:
            return f"Invalid nonce: nonce too low {nonce} < {floor}"
        return None

    def take(self, signer: str, nonce: int, now_ms: int) -> None:
        """Use it up; what has left the window is forgotten."""
        seen = self.seen.setdefault(signer, set())
        seen.add(nonce)
        self.seen[signer] = {each for each in seen if each >= now_ms - _BEFORE_MS}

    def _floor(self, seen: set[int]) -> int:
        return heapq.nlargest(KEPT, seen)[-1] if len(seen) >= KEPT else 0
