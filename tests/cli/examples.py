"""Every command once: what is typed, what then travels, what comes back and what must be seen.

The answers have the API's shape; test_contract.py holds them, and what travels, against its models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AGENT = "a0000000-0000-4000-8000-000000000001"
DEPLOYMENT = "d0000000-0000-4000-8000-000000000001"
SIGNAL = "0190a000-0000-7000-8000-000000000001"
MADE = "2024-07-11T04:14:32.960Z"  # as the id says
ORDER = "e0000000-0000-4000-8000-000000000001"
POSITION = "b0000000-0000-4000-8000-000000000001"
CONFIG_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
DECISION_ID = "9b2d0000-0000-4000-8000-000000000001"
WALLET = "0x" + "22" * 20
USER = "0x" + "11" * 20
AT = "2026-01-31T12:00:00Z"


@dataclass(frozen=True)
class Example:
    """One command.

    Args:
        seen: what stands in its output; a run of spaces stands for any.
    """

    words: str
    method: str
    path: str
    answer: Mapping[str, Any]
    seen: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    status: int = 200

    @property
    def name(self) -> str:
        return self.words.split(" --")[0].replace(AGENT, "AGENT")


CONFIG: dict[str, Any] = {
    "success": True,
    "config": {
        "id": CONFIG_ID,
        "agent_id": AGENT,
        "venue_priority": ["OSTIUM", "HYPERLIQUID"],
        "routing_strategy": "FIRST_AVAILABLE",
        "failover_enabled": False,
        "created_at": AT,
        "updated_at": "2026-01-31T12:00:01.250000Z",
        "isDefault": False,
    },
}
ROUTED: dict[str, Any] = {
    "tokenSymbol": "BTC",
    "selectedVenue": "HYPERLIQUID",
    "routingReason": "HYPERLIQUID: Market BTC/USD available (Index: 0)",
    "checkedVenues": ["HYPERLIQUID", "OSTIUM"],
    "venueAvailability": {"HYPERLIQUID": True, "OSTIUM": False},
}
CANDIDATES: list[dict[str, Any]] = [
    {
        "venue": "HYPERLIQUID",
        "refusal": None,
        "detail": "Market BTC/USD available (Index: 0)",
        "score": "0",
        "control": "ACTIVE",
        "market": {
            "venue": "HYPERLIQUID",
            "tokenSymbol": "BTC",
            "name": "BTC/USD",
            "index": 0,
            "isActive": True,
            "isOpen": True,
            "multiplier": "1",
            "minNotionalUsd": "10",
            "maxLeverage": "40",
            "group": None,
            "priceUsd": "64123.5",
            "takerFeeBps": "4.5",
            "lastSynced": AT,
            "sizeStep": "0.00001",
            "sides": ["LONG", "SHORT"],
            "orderFeeUsd": "0",
            "netting": True,
        },
    },
    {
        "venue": "OSTIUM",
        "refusal": "NOT_LISTED",
        "detail": "BTC is not listed",
        "score": None,
        "control": "ACTIVE",
        "market": None,
    },
]
FIGURES: dict[str, Any] = {
    "strategy": "FIRST_AVAILABLE",
    "configId": CONFIG_ID,
    "failoverEnabled": True,
    "skippedReason": None,
    "candidates": CANDIDATES,
}
DECISION: dict[str, Any] = {
    "id": DECISION_ID,
    "signalId": SIGNAL,
    **ROUTED,
    **FIGURES,
    "requestedVenue": "MULTI",
    "routingDurationMs": 3,
    "attempt": 1,
    "deploymentId": None,
    "createdAt": AT,
}
STATS: dict[str, Any] = {
    "success": True,
    "timeWindow": "week",
    "stats": {
        "total": 12,
        "byVenue": {"HYPERLIQUID": 11},
        "byToken": {
            "BTC": {"total": 11, "venues": {"HYPERLIQUID": 11, "OSTIUM": 0}},
            "ZZZ": {"total": 1, "venues": {"HYPERLIQUID": 0, "OSTIUM": 0}},
        },
        "avgRoutingTimeMs": 1.204,
        "successRate": 91.7,
        "failovers": 2,
        "p50RoutingTimeMs": 1.1,
        "p99RoutingTimeMs": 13.308,
    },
    "recentRouting": [{"id": DECISION_ID, **ROUTED, "routingDurationMs": 3, "createdAt": AT}],
}
AGENT_ROW: dict[str, Any] = {
    "id": AGENT,
    "name": "Momentum",
    "venue": "MULTI",
    "status": "ACTIVE",
    "creator_wallet": WALLET,
    "profit_receiver_address": WALLET,
    "weights": [],
    "created_at": AT,
}
LISTED_AGENT: dict[str, Any] = {key: AGENT_ROW[key] for key in ("id", "name", "venue", "status")}
DEPLOYMENT_ROW: dict[str, Any] = {
    "id": DEPLOYMENT,
    "agent_id": AGENT,
    "user_wallet": USER,
    "status": "ACTIVE",
    "sub_active": True,
    "venues": ["HYPERLIQUID", "OSTIUM"],
    "maxNotionalUsd": "2500.5",
    "maxLeverage": None,
    "created_at": AT,
    "accounts": [
        {
            "venue": "HYPERLIQUID",
            "account": USER,
            "signer_address": None,
            "approved_until": None,
        }
    ],
}
POSITION_ROW: dict[str, Any] = {
    "id": POSITION,
    "agentId": AGENT,
    "deploymentId": DEPLOYMENT,
    "signalId": SIGNAL,
    "venue": "HYPERLIQUID",
    "tokenSymbol": "BTC",
    "side": "LONG",
    "mode": "PAPER",
    "status": "OPEN",
    "qty": "0.00155",
    "openQty": "0.00155",
    "entryPrice": "64123.5",
    "leverage": "2",
    "stopLoss": "60917.325",
    "takeProfit": None,
    "openedAt": AT,
    "closedAt": None,
    "exitPrice": None,
    "exitReason": None,
    "closedBy": None,
    "pnl": None,
    "feesUsd": "0.0447",
}
TRADE: dict[str, Any] = {
    "success": True,
    "signal": {
        "signalId": SIGNAL,
        "agentId": AGENT,
        "tokenSymbol": "BTC",
        "side": "LONG",
        "action": "OPEN",
        "requestedVenue": "MULTI",
        "venue": "HYPERLIQUID",
        "sizeModel": {"type": "fixed-usdc", "value": "50", "leverage": "2"},
        "riskModel": {"stopLoss": "0.05"},
        "createdAt": AT,
        "expiresAt": "2026-01-31T12:05:00Z",
        "receivedAt": AT,
        "decidedAt": AT,
        "skippedReason": None,
    },
    "decisions": [DECISION],
    "orders": [
        {
            "id": ORDER,
            "signalId": SIGNAL,
            "deploymentId": DEPLOYMENT,
            "positionId": POSITION,
            "purpose": "ENTRY",
            "leg": "ENTRY",
            "attempt": 1,
            "afterOrderId": None,
            "venue": "HYPERLIQUID",
            "account": USER,
            "mode": "PAPER",
            "marketName": "BTC/USD",
            "side": "LONG",
            "reduceOnly": False,
            "leverage": "2",
            "collateralUsd": "50",
            "size": "0.00155",
            "limitPrice": "64764.7",
            "triggerPrice": None,
            "clientOrderId": "0x00",
            "status": "FILLED",
            "filledSize": "0.00155",
            "averagePrice": "64123.5",
            "feeUsd": "0.0447",
            "refusal": None,
            "detail": "",
            "venueRef": None,
            "createdAt": AT,
            "sentAt": AT,
            "settledAt": AT,
        }
    ],
    "fills": [
        {
            "orderId": ORDER,
            "venue": "HYPERLIQUID",
            "venueFillId": "1",
            "size": "0.00155",
            "price": "64123.5",
            "fee": "0.0447",
            "feeToken": "USDC",
            "at": AT,
        }
    ],
    "positions": [POSITION_ROW],
    "truncated": False,
}
CONTROL: dict[str, Any] = {
    "scope": "venue",
    "id": "OSTIUM",
    "state": "CLOSE_ONLY",
    "reason": "prices late",
    "setBy": "operator-7",
    "setAt": AT,
    "byOperator": True,
}
MARKET: dict[str, Any] = {
    "venue": "HYPERLIQUID",
    "tokenSymbol": "PEPE",
    "marketName": "kPEPE/USD",
    "marketIndex": 15,
    "isActive": True,
    "isOpen": True,
    "multiplier": "1000",
    "minPosition": "10",
    "maxLeverage": "10",
    "takerFeeBps": "4.5",
    "group": None,
    "currentPrice": "0.00000912",
    "lastSynced": AT,
}
DETAILS: dict[str, Any] = {
    "success": True,
    "fit": False,
    "reasons": ["OSTIUM: no market was synced for 61 minutes"],
    "checkedAt": AT,
    "database": {"version": "18.4", "migrations": 8, "network": "mainnet", "clockSkewMs": -4},
    "venues": [
        {
            "venue": "OSTIUM",
            "markets": 71,
            "lastSynced": AT,
            "ageSeconds": 3660,
            "fresh": False,
        }
    ],
    "orders": {
        "undecidedSignals": 1,
        "plannedOrdersDue": 2,
        "unsettledOrders": 3,
        "oldestUnsettledSeconds": None,
        "openPositions": 14,
        "positionsUnexpected": 15,
        "positionsUnexplained": 16,
        "positionsUnprotected": 17,
        "stopLossesGivenUp": 18,
        "boundsNotTakenBack": 19,
        "ordersHeldUp": 20,
        "closesOverdue": 24,
        "ordersCannotEnd": 21,
        "accountsUsedUp": 22,
        "signersLowOnGas": 23,
    },
    "queues": {
        "signalQueueDepth": 5,
        "orderQueueDepth": 6,
        "deadLetters": 77,
        "queuesUnavailable": None,
    },
    "figuresAt": AT,
    "controls": [CONTROL],
}
TAKEN_IN: dict[str, Any] = {"success": True, "signalId": SIGNAL}


def page(key: str, *rows: object, **more: object) -> dict[str, Any]:
    return {"success": True, key: list(rows), **more, "nextCursor": None}


FIRST = {"limit": "100"}
OPEN_BODY: dict[str, Any] = {
    "signalId": SIGNAL,
    "agentId": AGENT,
    "tokenSymbol": "BTC",
    "createdAt": MADE,
    "side": "LONG",
    "sizeModel": {"type": "balance-percentage", "value": "5"},
}
EXAMPLES = (
    Example(
        f"config get --agent {AGENT}",
        "GET",
        "/venue-routing/config",
        CONFIG,
        ("priority OSTIUM, HYPERLIQUID", "failover no", "updated 2026-01-31T12:00:01Z", CONFIG_ID),
        query={"agentId": AGENT},
    ),
    Example(
        "config set --priority hyperliquid,OSTIUM",
        "POST",
        "/venue-routing/config",
        CONFIG,
        ("strategy FIRST_AVAILABLE",),
        body={
            "venuePriority": ["HYPERLIQUID", "OSTIUM"],
            "routingStrategy": "FIRST_AVAILABLE",
            "failoverEnabled": True,
        },
    ),
    Example(
        f"config set --priority OSTIUM --agent {AGENT} --strategy first_available --no-failover",
        "POST",
        "/venue-routing/config",
        CONFIG,
        (f"agent {AGENT}",),
        body={
            "agentId": AGENT,
            "venuePriority": ["OSTIUM"],
            "routingStrategy": "FIRST_AVAILABLE",
            "failoverEnabled": False,
        },
    ),
    Example(
        f"config delete --agent {AGENT}",
        "DELETE",
        "/venue-routing/config",
        {
            "success": True,
            "config": {
                **CONFIG["config"],
                "id": None,
                "agent_id": None,
                "created_at": None,
                "updated_at": None,
                "isDefault": True,
            },
        },
        ("built-in default yes", "updated -"),
        query={"agentId": AGENT},
    ),
    Example(
        "stats --window week --token BTC",
        "GET",
        "/venue-routing/stats",
        STATS,
        (
            "window decisions routed, % failovers average, ms p50, ms p99, ms",
            "week 12 91.7 2 1.204 1.1 13.308",
            "token decisions HYPERLIQUID OSTIUM",
            "ZZZ 1 0 0",
            "2026-01-31T12:00:00Z BTC HYPERLIQUID 3 HYPERLIQUID: Market BTC/USD",
        ),
        query={"timeWindow": "week", "tokenSymbol": "BTC"},
    ),
    Example(
        f"history --signal {SIGNAL} --token BTC --venue ostium --limit 7",
        "GET",
        "/venue-routing/history",
        page("history", DECISION),
        (f"2026-01-31T12:00:00Z {SIGNAL} BTC MULTI HYPERLIQUID 1 3", "HYPERLIQUID yes, OSTIUM no"),
        query={"signalId": SIGNAL, "tokenSymbol": "BTC", "venue": "OSTIUM", "limit": "7"},
    ),
    Example(
        f"preview BTC long --agent {AGENT} --notional 500.50",
        "POST",
        "/venue-routing/preview",
        {"success": True, "decision": {**ROUTED, **FIGURES, "requestedVenue": "MULTI"}},
        (
            "venue HYPERLIQUID",
            "HYPERLIQUID - 0 BTC/USD 64123.5 4.5 40 10 2026-01-31T12:00:00Z",
            "OSTIUM NOT_LISTED - -",
        ),
        body={"agentId": AGENT, "tokenSymbol": "BTC", "side": "LONG", "notionalUsd": "500.50"},
    ),
    Example(
        "preview EUR SHORT",
        "POST",
        "/venue-routing/preview",
        {"success": True, "decision": {**ROUTED, **FIGURES, "requestedVenue": "MULTI"}},
        ("Candidates",),
        body={"tokenSymbol": "EUR", "side": "SHORT"},
    ),
    Example(
        f"signal send --agent {AGENT} BTC LONG --percent 5 --id {SIGNAL}",
        "POST",
        "/signals",
        TAKEN_IN,
        (f"signal {SIGNAL}", "taken in yes"),
        body=OPEN_BODY,
        status=202,
    ),
    Example(
        f"signal send --agent {AGENT} BTC short --usdc 50 --leverage 3 --stop-loss 0.05"
        f" --take-profit 0.10 --max-slippage 0.01 --venue ostium --expires-in 2m --id {SIGNAL}",
        "POST",
        "/signals",
        TAKEN_IN,
        ("taken in yes",),
        body={
            **OPEN_BODY,
            "side": "SHORT",
            "venue": "OSTIUM",
            "sizeModel": {"type": "fixed-usdc", "value": "50", "leverage": "3"},
            "riskModel": {"stopLoss": "0.05", "takeProfit": "0.10", "maxSlippage": "0.01"},
            "expiresAt": "2024-07-11T04:16:32.960Z",
        },
        status=202,
    ),
    Example(
        f"signal send --agent {AGENT} BTC LONG --percent 5 --id {SIGNAL}"
        " --expires-at 2026-01-31T13:00:00+01:00",
        "POST",
        "/signals",
        TAKEN_IN,
        ("taken in yes",),
        body={**OPEN_BODY, "expiresAt": "2026-01-31T12:00:00.000Z"},
        status=202,
    ),
    Example(
        f"signal close --agent {AGENT} BTC --side long --id {SIGNAL}",
        "POST",
        "/signals",
        TAKEN_IN,
        (f"signal {SIGNAL}",),
        body={
            "signalId": SIGNAL,
            "agentId": AGENT,
            "tokenSymbol": "BTC",
            "createdAt": MADE,
            "action": "CLOSE",
            "side": "LONG",
        },
        status=202,
    ),
    Example(
        f"signal show {SIGNAL}",
        "GET",
        f"/signals/{SIGNAL}",
        TRADE,
        (
            "size type fixed-usdc, value 50, leverage 2",
            f"{ORDER} ENTRY ENTRY 1 HYPERLIQUID BTC/USD LONG FILLED 0.00155 64764.7 - 0.00155",
            f"{ORDER} HYPERLIQUID 0.00155 64123.5 0.0447 USDC 2026-01-31T12:00:00Z",
            f"{POSITION} OPEN HYPERLIQUID BTC LONG",
        ),
    ),
    Example(
        "status",
        "GET",
        "/status",
        {"success": True, "fit": True, "checkedAt": AT},
        ("fit to trade yes", "checked 2026-01-31T12:00:00Z"),
    ),
    Example(
        "status --details",
        "GET",
        "/status/details",
        DETAILS,
        (
            "fit to trade no",
            "reasons OSTIUM: no market was synced for 61 minutes",
            "clock skew, ms -4",
            "OSTIUM 71 2026-01-31T12:00:00Z 3660 no",
            "open positions 14",
            "dead letters 77",
            "venue OSTIUM CLOSE_ONLY",
        ),
    ),
    Example(
        "agents list",
        "GET",
        "/agents",
        page("agents", AGENT_ROW),
        ("id name venue status created", f"{AGENT} Momentum MULTI ACTIVE 2026-01-31T12:00:00Z"),
        query=FIRST,
    ),
    Example(
        "agents list --active",
        "GET",
        "/agents",
        page("agents", LISTED_AGENT),
        (f"{AGENT} Momentum MULTI ACTIVE -",),
        query={"listed": "active", **FIRST},
    ),
    Example(
        f"agents show {AGENT}",
        "GET",
        f"/agents/{AGENT}",
        {"success": True, "agent": AGENT_ROW},
        ("name Momentum", f"creator {WALLET}", "weights -"),
    ),
    Example(
        f"agents create Momentum --venue multi --receiver {WALLET}",
        "POST",
        "/agents",
        {"success": True, "agent": AGENT_ROW},
        ("name Momentum",),
        body={"name": "Momentum", "venue": "MULTI", "profit_receiver_address": WALLET},
        status=201,
    ),
    Example(
        f"agents create Momentum --venue MULTI --receiver {WALLET} --wallet {USER} --status paused",
        "POST",
        "/agents",
        {"success": True, "agent": AGENT_ROW},
        ("name Momentum",),
        body={
            "name": "Momentum",
            "venue": "MULTI",
            "creator_wallet": USER,
            "profit_receiver_address": WALLET,
            "status": "PAUSED",
        },
        status=201,
    ),
    Example(
        f"agents set {AGENT} --status PAUSED --name Calm --venue ostium --receiver {USER}",
        "PATCH",
        f"/agents/{AGENT}",
        {"success": True, "agent": AGENT_ROW},
        (f"id {AGENT}",),
        body={
            "name": "Calm",
            "venue": "OSTIUM",
            "profit_receiver_address": USER,
            "status": "PAUSED",
        },
    ),
    Example(
        f"follow {AGENT} --venues HYPERLIQUID,OSTIUM",
        "POST",
        f"/agents/{AGENT}/deployments",
        {"success": True, "deployment": DEPLOYMENT_ROW},
        (f"id {DEPLOYMENT}", f"HYPERLIQUID {USER} - -"),
        body={"venues": ["HYPERLIQUID", "OSTIUM"]},
        status=201,
    ),
    Example(
        f"follow {AGENT} --venues OSTIUM --wallet {USER} --max-notional 2500.5 --max-leverage 5",
        "POST",
        f"/agents/{AGENT}/deployments",
        {"success": True, "deployment": DEPLOYMENT_ROW},
        ("max notional, USD 2500.5",),
        body={
            "venues": ["OSTIUM"],
            "user_wallet": USER,
            "maxNotionalUsd": "2500.5",
            "maxLeverage": "5",
        },
        status=201,
    ),
    Example(
        f"deployments list --agent {AGENT}",
        "GET",
        f"/agents/{AGENT}/deployments",
        page("deployments", DEPLOYMENT_ROW, {**DEPLOYMENT_ROW, "user_wallet": None}),
        (f"{DEPLOYMENT} {USER} ACTIVE HYPERLIQUID, OSTIUM 2500.5 -", f"{DEPLOYMENT} - ACTIVE"),
        query=FIRST,
    ),
    Example(
        f"deployments show {DEPLOYMENT}",
        "GET",
        f"/deployments/{DEPLOYMENT}",
        {"success": True, "deployment": DEPLOYMENT_ROW},
        (f"user {USER}", "subscribed yes", "venue account signer approved until"),
    ),
    Example(
        f"deployments set {DEPLOYMENT} --status paused --max-notional none --max-leverage 3",
        "PATCH",
        f"/deployments/{DEPLOYMENT}",
        {"success": True, "deployment": DEPLOYMENT_ROW},
        (f"id {DEPLOYMENT}",),
        body={"status": "PAUSED", "maxNotionalUsd": None, "maxLeverage": "3"},
    ),
    Example(
        f"deployments set {DEPLOYMENT} --venues OSTIUM",
        "PATCH",
        f"/deployments/{DEPLOYMENT}",
        {"success": True, "deployment": DEPLOYMENT_ROW},
        (f"id {DEPLOYMENT}",),
        body={"venues": ["OSTIUM"]},
    ),
    Example(
        f"positions --agent {AGENT} --deployment {DEPLOYMENT} --status open",
        "GET",
        "/positions",
        page("positions", POSITION_ROW),
        (f"{POSITION} OPEN HYPERLIQUID BTC LONG 0.00155 0.00155 64123.5 - 2 60917.325 - - 0.0447",),
        query={"agentId": AGENT, "deploymentId": DEPLOYMENT, "status": "OPEN", **FIRST},
    ),
    Example(
        "markets --venue hyperliquid --token kPEPE",
        "GET",
        "/venue-markets",
        {"success": True, "markets": [MARKET]},
        ("HYPERLIQUID PEPE kPEPE/USD yes yes 0.00000912 10 4.5 10 2026-01-31T12:00:00Z",),
        query={"venue": "HYPERLIQUID", "tokenSymbol": "kPEPE"},
    ),
    Example(
        "controls list --scope venue --id OSTIUM",
        "GET",
        "/controls",
        page("controls", CONTROL, audit=[CONTROL, {**CONTROL, "state": "ACTIVE"}]),
        ("Standing", "Changes", "venue OSTIUM ACTIVE 2026-01-31T12:00:00Z operator-7 yes prices"),
        query={"scope": "venue", "id": "OSTIUM", **FIRST},
    ),
    Example(
        "controls set venue ostium close_only --reason late",
        "PUT",
        "/controls",
        {"success": True, "control": CONTROL},
        ("state CLOSE_ONLY", "by operator-7"),
        body={"scope": "venue", "id": "OSTIUM", "state": "CLOSE_ONLY", "reason": "late"},
    ),
    Example(
        "controls set global HALTED --reason incident",
        "PUT",
        "/controls",
        {"success": True, "control": {**CONTROL, "scope": "global", "id": None}},
        ("scope global", "id -"),
        body={"scope": "global", "state": "HALTED", "reason": "incident"},
    ),
    Example(
        f"controls set agent {AGENT} ACTIVE --reason over",
        "PUT",
        "/controls",
        {"success": True, "control": {**CONTROL, "scope": "agent", "id": AGENT}},
        (f"id {AGENT}",),
        body={"scope": "agent", "id": AGENT, "state": "ACTIVE", "reason": "over"},
    ),
)
