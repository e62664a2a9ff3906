"""POST /exchange: who signed it, whether it is admitted, and what it does then.

In this order: read it, find its signer and the account, look at the nonce and at the action's own
figures, and only then take the nonce. What is refused after that has used the nonce up.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from local.simulators.hyperliquid import actions, agents, margin
from local.simulators.hyperliquid.accounts import Account
from local.simulators.hyperliquid.answers import (
    accepted,
    must_deposit,
    refused,
    too_many_requests,
    unknown_signer,
)
from local.simulators.hyperliquid.signatures import NoSigner, signer_of_l1, signer_of_typed
from local.simulators.hyperliquid.state import State
from local.simulators.hyperliquid.wire import (
    ApproveAgentAction,
    CancelAction,
    CancelByCloidAction,
    Envelope,
    L1Action,
    TransferAction,
    UserAction,
    address,
    canonical,
)
from local.simulators.server import Reply, json_reply

NOT_JSON = Reply(400, b"Failed to parse the request body as JSON", "text/plain")
NOT_UNDERSTOOD = Reply(
    422, b"Failed to deserialize the JSON body into the target type", "text/plain"
)
FREE_REQUESTS = 10_000
_CANCELS_MORE = 100_000
_EXPIRED_COSTS = 5
_NO_SIGNER = "Unable to recover signer."
_AGENT_FIELDS = (("agentAddress", "address"), ("agentName", "string"), ("nonce", "uint64"))
_TRANSFER_FIELDS = (("destination", "string"), ("amount", "string"), ("time", "uint64"))
_TRANSFER_TYPES = {"usdSend": "UsdSend", "withdraw3": "Withdraw"}


def exchange(state: State, body: bytes) -> Reply:
    """Answer a request."""
    try:
        asked = json.loads(body)
    except ValueError:
        return NOT_JSON
    try:
        envelope = Envelope.model_validate(asked)
    except ValidationError:
        return NOT_UNDERSTOOD
    if isinstance(envelope.action, UserAction):
        return json_reply(_user_signed(state, envelope, envelope.action))
    return json_reply(_l1(state, envelope, envelope.action))


def cap(account: Account) -> int:
    """How many actions an account has in all."""
    return FREE_REQUESTS + int(account.volume_usd)


def _l1(state: State, envelope: Envelope, action: L1Action) -> dict[str, Any]:
    ledger, now = state.ledger, state.now_ms()
    try:
        signer = signer_of_l1(
            canonical(action),
            envelope.nonce,
            envelope.vault,
            envelope.expires_after,
            envelope.signature,
            is_mainnet=state.is_mainnet,
        )
    except NoSigner:
        return refused(_NO_SIGNER)
    user = agents.user_of(ledger, signer, now)
    if user is None:
        return unknown_signer(signer)
    account = ledger.accounts[envelope.vault or user] if _may(state, envelope, user) else None
    if account is None:
        return refused(f"Vault not registered: {envelope.vault}")
    refusal = _not_admitted(state, account, signer, envelope.nonce, action)
    if refusal is not None:
        return refusal
    ledger.nonces.take(signer, envelope.nonce, now)
    account.requests_used += actions.cost(action)
    if envelope.expires_after is not None and envelope.expires_after < now:
        account.requests_used += _EXPIRED_COSTS - 1
        answer = refused("Action already expired")
    else:
        answer = actions.perform(state, account, action)
    _log(state, signer, account.address, envelope, answer)
    return answer


def _may(state: State, envelope: Envelope, user: str) -> bool:
    """Whether the request names nobody, or a sub-account of the signer's user."""
    named = state.ledger.accounts.get(envelope.vault) if envelope.vault else None
    return envelope.vault is None or (named is not None and named.master == user)


def _not_admitted(
    state: State, account: Account, signer: str, nonce: int, action: L1Action
) -> dict[str, Any] | None:
    if text := state.ledger.nonces.refusal(signer, nonce, state.now_ms()):
        return refused(text)
    used, most = account.requests_used + actions.cost(action), cap(account)
    if isinstance(action, CancelAction | CancelByCloidAction):
        most = min(most + _CANCELS_MORE, 2 * most)
    if used > most:
        return too_many_requests(used, most, account.volume_usd)
    return actions.fault(state, account, action)


def _user_signed(state: State, envelope: Envelope, action: UserAction) -> dict[str, Any]:
    ledger, now = state.ledger, state.now_ms()
    if action.nonce != envelope.nonce:
        return refused("Invalid nonce: action and envelope differ")
    try:
        signer = _typed_signer(envelope, action, is_mainnet=state.is_mainnet)
    except NoSigner:
        return refused(_NO_SIGNER)
    account = ledger.accounts.get(signer)
    if account is None or account.master is not None:
        return must_deposit(signer)
    if text := ledger.nonces.refusal(signer, envelope.nonce, now):
        return refused(text)
    ledger.nonces.take(signer, envelope.nonce, now)
    if isinstance(action, ApproveAgentAction):
        why_not = agents.approve(ledger, account, action.agent, action.name, now)
    else:
        why_not = _transfer(state, account, action)
    answer = refused(why_not) if why_not else accepted()
    _log(state, signer, account.address, envelope, answer)
    return answer


def _typed_signer(envelope: Envelope, action: UserAction, *, is_mainnet: bool) -> str:
    if isinstance(action, ApproveAgentAction):
        kind, fields = "ApproveAgent", _AGENT_FIELDS
        message: dict[str, Any] = {
            "agentAddress": action.agent,
            "agentName": action.name,
            "nonce": action.nonce,
        }
    else:
        kind, fields = _TRANSFER_TYPES[action.type], _TRANSFER_FIELDS
        message = action.model_dump(include={"destination", "amount", "time"})
    return signer_of_typed(
        kind, fields, message, action.chain, envelope.signature, is_mainnet=is_mainnet
    )


def _transfer(state: State, account: Account, action: TransferAction) -> str | None:
    """Send USDC to another account, or out of the venue; the fee of that is the bridge's."""
    try:
        usd, destination = Decimal(action.amount), address(action.destination)
    except (InvalidOperation, ValueError):
        return "Invalid decimal number"
    bound = state.ledger.held_by_orders(account)
    there = margin.withdrawable(account, state.markets.mark, bound)
    if not usd.is_finite() or not 0 < usd <= there:
        return "Insufficient balance for withdrawal."
    account.withdraw(usd)
    if action.type == "usdSend":
        state.ledger.account(destination).deposit(usd)
    return None


def _log(state: State, signer: str, user: str, envelope: Envelope, answer: dict[str, Any]) -> None:
    """Keep what was admitted, without its signature."""
    told = {
        "at": state.now_ms(),
        "signer": signer,
        "user": user,
        "nonce": envelope.nonce,
        "expiresAfter": envelope.expires_after,
        "action": envelope.action.model_dump(by_alias=True, exclude_none=True),
        "answer": answer,
    }
    state.ledger.actions.append(told)
