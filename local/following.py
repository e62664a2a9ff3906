"""The sample agents and who follows them: a wallet of nobody's on paper, wallets that approve live.

Live wallets are new with each run, as are the chain and the keys: nothing of them outlives it.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from local.processes import StepFailed
from local.samples import AGENTS, FOLLOWERS, Agent
from local.stack import Stack
from local.wallet import Wallet

USER = "0x" + "11" * 20
CREATOR = "0x" + "22" * 20
_USD = 10_000
_PATIENCE_SECONDS = 90
_BETWEEN_LOOKS_SECONDS = 3


def followed(stack: Stack, names: Collection[str], *, live: bool) -> Mapping[str, str]:
    """The ids of sample agents, each with its one follower; made where they are missing.

    Args:
        names: keys of AGENTS.
        live: their followers have money at the venues, and have approved what they would.

    Raises:
        StepFailed: the API or a venue refused something.
    """
    wallets = _funded(stack) if live else {}
    agents = {}
    for name in names:
        follower = AGENTS[name].follower
        user = wallets[follower].address if live else USER
        agents[name] = _agent(stack, AGENTS[name], user)
        if AGENTS[name].prefers_ostium:
            policy = {"agentId": agents[name], "venuePriority": ["OSTIUM", "HYPERLIQUID"]}
            called(stack, "POST", "/venue-routing/config", policy)
    for follower, wallet in wallets.items():
        agent = next(agents[name] for name in names if AGENTS[name].follower == follower)
        _approve(stack, agent, wallet, FOLLOWERS[follower])
    return agents


def called(stack: Stack, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - JSON
    """What the API answers an administrator. Raises StepFailed where it refuses."""
    answer = stack.call(method, path, None if body is None else dict(body))
    if answer.status >= 300:
        raise StepFailed(f"{method} {path} answered {answer.status}: {answer.body}")
    return answer.body


def _funded(stack: Stack) -> Mapping[str, Wallet]:
    if stack.venues is None:
        raise StepFailed("there are wallets for simulated venues alone")
    wallets = {follower: Wallet.new(stack.venues) for follower in FOLLOWERS}
    for wallet in wallets.values():
        wallet.fund(_USD)
    return wallets


def _agent(stack: Stack, agent: Agent, user: str) -> str:
    known = next((each for each in _agents(stack) if each["name"] == agent.name), None)
    if known:
        return str(known["id"])
    body = {
        "name": agent.name,
        "venue": agent.venue,
        "status": "ACTIVE",
        "creator_wallet": CREATOR,
        "profit_receiver_address": CREATOR,
    }
    made = str(called(stack, "POST", "/agents", body)["agent"]["id"])
    follower = {"venues": ["HYPERLIQUID", "OSTIUM"], "user_wallet": user}
    called(stack, "POST", f"/agents/{made}/deployments", follower)
    return made


def _agents(stack: Stack) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = called(stack, "GET", f"/agents{cursor}")
        yield from page["agents"]
        if not page["nextCursor"]:
            return
        cursor = f"?cursor={page['nextCursor']}"


def _approve(stack: Stack, agent: str, wallet: Wallet, venues: Collection[str]) -> None:
    """Approve the follower's keys at these venues, and wait until the venues' word is known."""
    for account in _accounts(stack, agent, venues):
        wallet.approve(account)
    until = time.monotonic() + _PATIENCE_SECONDS
    stack.invoke("reconcile")
    while not all(account["approved_until"] for account in _accounts(stack, agent, venues)):
        if time.monotonic() > until:
            raise StepFailed(f"an approval is not known after {_PATIENCE_SECONDS} s")
        time.sleep(_BETWEEN_LOOKS_SECONDS)
        stack.invoke("reconcile")


def _accounts(stack: Stack, agent: str, venues: Collection[str]) -> Sequence[Mapping[str, Any]]:
    (deployment,) = called(stack, "GET", f"/agents/{agent}/deployments")["deployments"]
    shown = called(stack, "GET", f"/deployments/{deployment['id']}")["deployment"]
    return [account for account in shown["accounts"] if account["venue"] in venues]
