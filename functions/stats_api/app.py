"""What reads: config, decisions, agents, deployments, trades, markets, controls, status."""

from functools import cache

from agent_where import stats, wiring
from agent_where.api import Call, as_handler, make_api, serve
from agent_where.contract import routes
from agent_where.contract.bodies import NoBody
from agent_where.contract.decisions import StatsAnswer
from agent_where.contract.queries import NoQuery, StatsQuery
from agent_where.contract.system import OpenApiAnswer
from agent_where.previewing import preview
from agent_where.settings import StatsApiSettings

api = make_api()
handler = as_handler(api)
settings = cache(StatsApiSettings.from_environment)
views = cache(lambda: wiring.views(settings()))
controls = cache(lambda: wiring.controls(settings()))
previewing = cache(lambda: wiring.previewing(settings()))
status = cache(lambda: wiring.status(settings()))


def routing_stats(call: Call[StatsQuery, NoBody]) -> StatsAnswer:
    return stats.shape(views().routing_stats(call.reach, call.query), call.query.time_window)


def open_api(_: Call[NoQuery, NoBody]) -> OpenApiAnswer:
    from agent_where.openapi import served  # noqa: PLC0415 seldom asked for, slow to load

    return served()


serve(api, routes.GET_CONFIG, lambda call: views().config(call.reach, call.query.agent_id))
serve(api, routes.GET_STATS, routing_stats)
serve(api, routes.GET_HISTORY, lambda call: views().history(call.reach, call.query))
serve(api, routes.POST_PREVIEW, lambda call: preview(call.body, call.reach, previewing()))
serve(api, routes.GET_AGENTS, lambda call: views().agents(call.reach, call.query))
serve(api, routes.GET_AGENT, lambda call: views().agent(call.reach, call.id))
serve(
    api,
    routes.GET_DEPLOYMENTS,
    lambda call: views().deployments(call.reach, call.id, call.query),
)
serve(api, routes.GET_DEPLOYMENT, lambda call: views().deployment(call.reach, call.id))
serve(api, routes.GET_CONTROLS, lambda call: controls().list(call.reach, call.query))
serve(api, routes.GET_SIGNAL, lambda call: views().trade(call.reach, call.id))
serve(api, routes.GET_POSITIONS, lambda call: views().positions(call.reach, call.query))
serve(api, routes.GET_MARKETS, lambda call: views().markets(call.query))
serve(api, routes.GET_STATUS, lambda _: status().brief())
serve(api, routes.GET_DETAILS, lambda _: status().details())
serve(api, routes.GET_OPENAPI, open_api)
