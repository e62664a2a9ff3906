"""The keys that may trade for an account: one without a name, a few with, none of them twice."""

import re

from local.simulators.hyperliquid.accounts import Account, Agent
from local.simulators.hyperliquid.state import Ledger

NAMED = 3
NAMED_PER_SUB_ACCOUNT = 2
_DAY_MS = 24 * 60 * 60 * 1000
_DEFAULT_LIFE_MS = 90 * _DAY_MS
_LONGEST_LIFE_MS = 180 * _DAY_MS
_PRUNED_AFTER_MS = 60 * 60 * 1000
"""How long an expired agent still signs: the venue prunes at leisure."""
_REMOVAL_MS = 5000
"""How long after a removal nothing can be approved."""
_LONGEST_NAME = 16
_NAMED = re.compile(r"(?P<name>.*?)(?:(?:^| )valid_until (?P<until>[0-9]{1,16}))?", re.DOTALL)
_NO_ADDRESS = "0x" + "00" * 20


def user_of(ledger: Ledger, signer: str, now_ms: int) -> str | None:
    """Whose orders a key may sign: its own account's, or the one it is an agent of."""
    _prune(ledger, now_ms)
    own = ledger.accounts.get(signer)
    if own is not None and own.master is None:
        return signer
    return ledger.users.get(signer)


def approve(ledger: Ledger, account: Account, agent: str, told: str, now_ms: int) -> str | None:
    """Let a key trade for an account; the zero address takes the named one's right away.

    Args:
        told: the name, with ` valid_until <ms>` behind it or without.

    Returns:
        Why not, in the venue's words, or None.
    """
    found = _NAMED.fullmatch(told)
    assert found is not None
    name, until = found["name"], int(found["until"] or now_ms + _DEFAULT_LIFE_MS)
    same = [each for each in account.agents if each.name == name]
    if now_ms < account.removal_ms + _REMOVAL_MS:
        return "User has pending agent removal"
    if agent == _NO_ADDRESS:
        return _remove(ledger, account, same, now_ms)
    if refused := _refusal(ledger, account, agent, name, until, now_ms):
        return refused
    _deregister(ledger, account, same)
    account.agents.append(Agent(agent, name, until))
    ledger.users[agent] = account.address
    ledger.agents_ever.add(agent)
    return None


def _refusal(
    ledger: Ledger, account: Account, agent: str, name: str, until: int, now_ms: int
) -> str | None:
    if len(name) > _LONGEST_NAME:
        return f"Agent name is too long. Max is {_LONGEST_NAME}."
    if not now_ms < until <= now_ms + _LONGEST_LIFE_MS:
        return "Agent valid_until already expired."
    if agent in ledger.agents_ever or agent in ledger.accounts:
        return "Extra agent already used."
    subs = sum(each.master == account.address for each in ledger.accounts.values())
    most = NAMED + NAMED_PER_SUB_ACCOUNT * subs
    others = [each for each in account.agents if each.name and each.name != name]
    if name and len(others) >= most:
        return f"Too many extra agents for cumulative volume traded. Current limit is {most}"
    return None


def _remove(ledger: Ledger, account: Account, agents: list[Agent], now_ms: int) -> str | None:
    if not agents:
        return "Extra agent does not exist."
    _deregister(ledger, account, agents)
    account.removal_ms = now_ms
    return None


def _deregister(ledger: Ledger, account: Account, agents: list[Agent]) -> None:
    for agent in agents:
        account.agents.remove(agent)
        ledger.users.pop(agent.address, None)


def _prune(ledger: Ledger, now_ms: int) -> None:
    for account in ledger.accounts.values():
        over = [a for a in account.agents if a.valid_until_ms + _PRUNED_AFTER_MS < now_ms]
        _deregister(ledger, account, over)
