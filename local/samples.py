"""Who sends what in the demonstration of the main job, and who follows."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agent:
    """A sample agent and its one follower.

    Args:
        venue: where its signals ask to be traded.
        follower: one of FOLLOWERS.
        prefers_ostium: whether its policy ranks Ostium first.
    """

    name: str
    venue: str
    follower: str = "user"
    prefers_ostium: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample signal: who sends it and how, and for which token."""

    agent: str
    token: str
    over: str


AGENTS: Mapping[str, Agent] = {
    "multi": Agent("Sample: MULTI", "MULTI"),
    "reversed": Agent("Sample: MULTI, Ostium first", "MULTI", prefers_ostium=True),
    "static": Agent("Sample: HYPERLIQUID only", "HYPERLIQUID"),
    "newcomer": Agent("Sample: MULTI, for a newcomer", "MULTI", follower="newcomer"),
}
FOLLOWERS: Mapping[str, tuple[str, ...]] = {
    "user": ("HYPERLIQUID", "OSTIUM"),
    "newcomer": ("OSTIUM",),
}
"""Where each has approved the key that trades for them; on paper nobody is asked to."""

PAPER = (
    Sample("multi", "BTC", "HTTP"),
    Sample("multi", "EUR", "queue"),
    Sample("multi", "XAU", "queue"),
    Sample("multi", "NVDA", "queue"),
    Sample("multi", "kPEPE", "HTTP"),
    Sample("multi", "NOSUCHCOIN", "queue"),
    Sample("reversed", "BTC", "queue"),
    Sample("static", "BTC", "queue"),
)
LIVE = (*PAPER, Sample("newcomer", "SOL", "HTTP"))
"""The last is refused where it is routed to, for want of an approval, and goes to the other."""

CLOSINGS = (Sample("multi", "BTC", "HTTP"),)
LIVE_CLOSINGS = (*CLOSINGS, Sample("multi", "EUR", "queue"))
