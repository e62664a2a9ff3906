"""Every route of the HTTP API, each said once.

api.py serves them, openapi.py describes them, the functions answer them: reads in stats_api, writes
in config_api, signals in signal_intake.
"""

from http import HTTPStatus
from typing import Any

from agent_where.callers import Scope
from agent_where.contract.bodies import (
    AgentBody,
    AgentChange,
    ConfigBody,
    ControlBody,
    DeploymentBody,
    DeploymentChange,
    NoBody,
    PreviewBody,
)
from agent_where.contract.decisions import HistoryAnswer, PreviewAnswer, StatsAnswer
from agent_where.contract.operations import Operation
from agent_where.contract.owned import (
    AgentAnswer,
    AgentsAnswer,
    ConfigAnswer,
    ControlAnswer,
    ControlsAnswer,
    DeploymentAnswer,
    DeploymentsAnswer,
)
from agent_where.contract.queries import (
    AgentQuery,
    AgentsQuery,
    ConfigQuery,
    ControlsQuery,
    DeploymentsQuery,
    HistoryQuery,
    MarketsQuery,
    NoQuery,
    PositionsQuery,
    StatsQuery,
)
from agent_where.contract.system import DetailsAnswer, OpenApiAnswer, StatusAnswer
from agent_where.contract.trades import MarketsAnswer, PositionsAnswer, SignalAnswer, TakenIn
from agent_where.messages import SignalMessage

_READ, _WRITE, _SIGNALS, _ADMIN = Scope.READ, Scope.WRITE, Scope.SIGNALS, Scope.ADMIN
_NO_AGENT, _NO_DEPLOYMENT, _NO_SIGNAL = "UNKNOWN_AGENT", "UNKNOWN_DEPLOYMENT", "UNKNOWN_SIGNAL"

GET_CONFIG = Operation(
    "GET", "/venue-routing/config", _READ, "getConfig", ConfigQuery, NoBody, ConfigAnswer,
    summary="The routing config that applies to an agent, or to all",
    description="The agent's own row, else the global one, else the built-in default "
    "(`isDefault`: true).",
    refusals=(_NO_AGENT,),
)  # fmt: skip
POST_CONFIG = Operation(
    "POST", "/venue-routing/config", _WRITE, "setConfig", NoQuery, ConfigBody, ConfigAnswer,
    summary="Set the routing config of an agent, or of all",
    description="The row is replaced whole. Without `agentId` it is the global row, and that "
    "needs `admin`.",
    refusals=(_NO_AGENT, "AGENT_NOT_MULTI"),
)  # fmt: skip
DELETE_CONFIG = Operation(
    "DELETE", "/venue-routing/config", _WRITE, "deleteConfig", AgentQuery, NoBody, ConfigAnswer,
    summary="Go back to the config that an agent inherits",
    description="The answer is what applies now.",
    refusals=(_NO_AGENT,),
)  # fmt: skip
GET_STATS = Operation(
    "GET", "/venue-routing/stats", _READ, "getStats", StatsQuery, NoBody, StatsAnswer,
    summary="What was routed where in the last hour, day or week",
    description="All first decisions of MULTI signals of the caller's own agents, of all agents "
    "with `admin`. `successRate` is percent routed; failovers are counted apart; times are "
    "milliseconds.",
)  # fmt: skip
GET_HISTORY = Operation(
    "GET", "/venue-routing/history", _READ, "getHistory", HistoryQuery, NoBody, HistoryAnswer,
    summary="The audit trail of routing decisions, newest first",
    description="Decisions on signals of the caller's own agents, each with every candidate and "
    "its figures.",
    refusals=(_NO_SIGNAL,),
)  # fmt: skip
POST_PREVIEW = Operation(
    "POST", "/venue-routing/preview", _READ, "preview", NoQuery, PreviewBody, PreviewAnswer,
    summary="The decision that a signal would get now",
    description="By the code that decides signals, on the same figures; nothing is written. "
    "Without `agentId` the global config applies.",
    refusals=(_NO_AGENT, "VENUE_NOT_SUPPORTED"),
)  # fmt: skip
GET_AGENTS = Operation(
    "GET", "/agents", _READ, "getAgents", AgentsQuery, NoBody, AgentsAnswer,
    summary="Agents, newest first",
    description="One's own, whole (all with `admin`); with `listed=active` everybody's ACTIVE "
    "ones as id, name, venue and status.",
)  # fmt: skip
POST_AGENT = Operation(
    "POST", "/agents", _WRITE, "createAgent", NoQuery, AgentBody, AgentAnswer,
    summary="Create an agent",
    description="`creator_wallet` is the token's wallet; another one needs `admin`. MULTI turns "
    "routing on.",
    status=HTTPStatus.CREATED,
)  # fmt: skip
GET_AGENT = Operation(
    "GET", "/agents/{id}", _READ, "getAgent", NoQuery, NoBody, AgentAnswer,
    summary="One agent",
    description="Whole for its creator; of another's, if it is ACTIVE, only id, name, venue and "
    "status.",
    refusals=(_NO_AGENT,),
)  # fmt: skip
PATCH_AGENT = Operation(
    "PATCH", "/agents/{id}", _WRITE, "changeAgent", NoQuery, AgentChange, AgentAnswer,
    summary="Change an agent",
    description="Only what is told changes; whose it is never does.",
    refusals=(_NO_AGENT,),
)  # fmt: skip
GET_DEPLOYMENTS = Operation(
    "GET", "/agents/{id}/deployments", _READ, "getDeployments",
    DeploymentsQuery, NoBody, DeploymentsAnswer,
    summary="Who follows an agent, newest first",
    description="To its creator all of them, without wallets; to a follower only his own.",
    refusals=(_NO_AGENT,),
)  # fmt: skip
POST_DEPLOYMENT = Operation(
    "POST", "/agents/{id}/deployments", _WRITE, "follow", NoQuery, DeploymentBody, DeploymentAnswer,
    summary="Follow an agent",
    description="`user_wallet` is the token's wallet; another one needs `admin`. A user follows "
    "an agent once. Keys are the server's to assign and are never named in a request.",
    status=HTTPStatus.CREATED,
    refusals=(_NO_AGENT, "CONFLICT"),
)  # fmt: skip
GET_DEPLOYMENT = Operation(
    "GET", "/deployments/{id}", _READ, "getDeployment", NoQuery, NoBody, DeploymentAnswer,
    summary="One deployment",
    description="To its user whole; to the agent's creator without wallets.",
    refusals=(_NO_DEPLOYMENT,),
)  # fmt: skip
PATCH_DEPLOYMENT = Operation(
    "PATCH", "/deployments/{id}", _WRITE, "changeDeployment",
    NoQuery, DeploymentChange, DeploymentAnswer,
    summary="Change a deployment",
    description="Its user's alone. Only what is told changes; null takes a limit away.",
    refusals=(_NO_DEPLOYMENT,),
)  # fmt: skip
GET_CONTROLS = Operation(
    "GET", "/controls", _READ, "getControls", ControlsQuery, NoBody, ControlsAnswer,
    summary="Which controls stand, and how they came to",
    description="Those of the caller's own agents and deployments, all with `admin`.",
)  # fmt: skip
PUT_CONTROL = Operation(
    "PUT", "/controls", _WRITE, "setControl", NoQuery, ControlBody, ControlAnswer,
    summary="Halt trading, let it only close, or let it go on",
    description="`global` and `venue` need `admin`; an agent is its creator's, a deployment its "
    "user's. The strictest that applies counts; it is read again right before an order is sent. "
    "HALTED and CLOSE_ONLY let a CLOSE pass, but for a global HALTED. What an operator set only "
    "an operator changes.",
    refusals=(_NO_AGENT, _NO_DEPLOYMENT, "HELD_BY_OPERATOR"),
)  # fmt: skip
POST_SIGNAL = Operation(
    "POST", "/signals", _SIGNALS, "sendSignal", NoQuery, SignalMessage, TakenIn,
    summary="Send a signal of an agent of one's own",
    description="It is stored, then enqueued. The same again is 202 again and one trade; another "
    "body under a known id is a CONFLICT.",
    status=HTTPStatus.ACCEPTED,
    refusals=(_NO_AGENT, "VENUE_NOT_SUPPORTED", "CONFLICT"),
)  # fmt: skip
GET_SIGNAL = Operation(
    "GET", "/signals/{id}", _READ, "getSignal", NoQuery, NoBody, SignalAnswer,
    summary="Where a trade is: a signal with its decisions, orders, fills and positions",
    description="To the agent's creator all of it, without wallets; to a follower what is his. "
    "At most 500 of each (`truncated`).",
    refusals=(_NO_SIGNAL,),
)  # fmt: skip
GET_POSITIONS = Operation(
    "GET", "/positions", _READ, "getPositions", PositionsQuery, NoBody, PositionsAnswer,
    summary="Positions, newest first",
    description="Those of one's own deployments, and those that followers of one's own agents "
    "hold.",
    refusals=(_NO_AGENT, _NO_DEPLOYMENT),
)  # fmt: skip
GET_MARKETS = Operation(
    "GET", "/venue-markets", _READ, "getMarkets", MarketsQuery, NoBody, MarketsAnswer,
    summary="Markets as last synced, per canonical token",
)  # fmt: skip
GET_STATUS = Operation(
    "GET", "/status", None, "getStatus", NoQuery, NoBody, StatusAnswer,
    summary="Whether the system is fit to trade",
    description="Looked at once in ten seconds.",
    refusals=("NOT_FIT",),
)  # fmt: skip
GET_DETAILS = Operation(
    "GET", "/status/details", _ADMIN, "getStatusDetails", NoQuery, NoBody, DetailsAnswer,
    summary="Database, markets, orders, queues and controls at a glance",
)  # fmt: skip
GET_OPENAPI = Operation(
    "GET", "/openapi.json", None, "getOpenApi", NoQuery, NoBody, OpenApiAnswer,
    summary="This document",
)  # fmt: skip

ROUTES: tuple[Operation[Any, Any, Any], ...] = (
    GET_CONFIG, POST_CONFIG, DELETE_CONFIG, GET_STATS, GET_HISTORY, POST_PREVIEW, GET_AGENTS,
    POST_AGENT, GET_AGENT, PATCH_AGENT, GET_DEPLOYMENTS, POST_DEPLOYMENT, GET_DEPLOYMENT,
    PATCH_DEPLOYMENT, GET_CONTROLS, PUT_CONTROL, POST_SIGNAL, GET_SIGNAL, GET_POSITIONS,
    GET_MARKETS, GET_STATUS, GET_DETAILS, GET_OPENAPI,
)  # fmt: skip
