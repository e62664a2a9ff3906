"""Whether an order may still be sent: everything that is checked again right before it is. Pure."""

from agent_where.domain import ControlState, Mode, Purpose, Refusal, VenueId
from agent_where.routing.checks import Refused, Terms, refusal_of
from agent_where.routing.router import expired
from agent_where.store.records import OrderFile


def refusal_now(file: OrderFile, supported: frozenset[VenueId], terms: Terms) -> Refused | None:
    """Why the order may not be sent now, or None."""
    if file.order.purpose is Purpose.ENTRY:
        return stopped(file) or _market_of_entry(file, supported, terms) or _signer(file)
    return _exit(file) or _signer(file)


def _signer(file: OrderFile) -> Refused | None:
    """Whether there is a key that may trade for the account, which paper has no need of.

    A close is let through with a key that could trade once: what the ledger knows may be old, and
    the venue itself refuses a key that may trade no more. A bound is not: refused for good, it
    would end as a close.
    """
    if file.order.mode is Mode.PAPER or file.access.is_live(file.now):
        return None
    if file.order.purpose is Purpose.CLOSE and file.access.was_approved:
        return None
    until = file.access.approved_until
    when = f"its approval ended at {until:%Y-%m-%d %H:%M:%S} UTC" if until else "no key is approved"
    return Refused(code=Refusal.NOT_APPROVED, detail=when)


def stopped(file: OrderFile) -> Refused | None:
    """What stands against opening anything at all, whatever the market."""
    leverage, ceiling = file.order.leverage, file.max_leverage
    if file.control is not ControlState.ACTIVE:
        return Refused(code=Refusal(file.control.value), detail=f"trading is {file.control}")
    if file.agent_status != "ACTIVE":
        return Refused(code=Refusal.AGENT_NOT_ACTIVE, detail=f"the agent is {file.agent_status}")
    if not file.deployment_active:
        return Refused(code=Refusal.DEPLOYMENT_NOT_ACTIVE, detail="the deployment is not active")
    if file.superseded:
        return Refused(
            code=Refusal.SUPERSEDED,
            detail="a CLOSE of the token, or a restore, came after the signal",
        )
    if ceiling is not None and leverage > ceiling:
        return Refused(
            code=Refusal.ABOVE_LIMIT,
            detail=f"leverage {leverage:f} is over the deployment's {ceiling:f}",
        )
    return expired(file.signal, file.now)


def _market_of_entry(
    file: OrderFile, supported: frozenset[VenueId], terms: Terms
) -> Refused | None:
    refused = refusal_of(terms, file.book.candidate(file.order.venue, supported))
    if refused is None and file.opposite:
        return Refused(
            code=Refusal.OPPOSITE_POSITION,
            detail=f"the account holds the other side of {file.order.market_name}, which nets",
        )
    return refused


def _exit(file: OrderFile) -> Refused | None:
    """An exit is stopped only by what makes it impossible, or by a global halt."""
    market = file.book.at(file.order.venue)
    if not file.open_qty:
        return Refused(code=Refusal.NOTHING_TO_CLOSE, detail="the position is already closed")
    if file.control_global is ControlState.HALTED:
        return Refused(code=Refusal.HALTED, detail="all trading is HALTED")
    if market is None:
        return Refused(
            code=Refusal.NOT_LISTED, detail=f"{file.order.token_symbol} is no longer listed"
        )
    if not market.is_open:
        return Refused(
            code=Refusal.MARKET_CLOSED, detail=f"Market {market.name} is closed at this hour"
        )
    if market.price_usd is None:
        return Refused(code=Refusal.NO_PRICE, detail=f"Market {market.name} has no price")
    return None
