"""What reads config, stats, agents, deployments, signals, positions and markets."""

from functools import cache

from agent_where import answers, bodies, stats, wiring
from agent_where.api import as_handler, make_api, path_id, query
from agent_where.settings import ApiSettings

api = make_api()
handler = as_handler(api)
views = cache(lambda: wiring.views(ApiSettings.from_environment()))


@api.get("/venue-routing/config")
def get_config() -> answers.ConfigAnswer:
    return views().config(query(api, bodies.ConfigQuery).agent_id)


@api.get("/venue-routing/stats")
def get_stats() -> answers.StatsAnswer:
    asked = query(api, bodies.StatsQuery)
    return stats.shape(views().routing_stats(asked), asked.time_window)


@api.get("/agents")
def get_agents() -> answers.AgentsAnswer:
    return views().agents(query(api, bodies.PageQuery).cursor)


@api.get("/agents/<of_id>")
def get_agent(of_id: str) -> answers.AgentAnswer:
    return views().agent(path_id(of_id))


@api.get("/agents/<of_id>/deployments")
def get_deployments(of_id: str) -> answers.DeploymentsAnswer:
    return views().deployments(path_id(of_id), query(api, bodies.PageQuery).cursor)


@api.get("/deployments/<of_id>")
def get_deployment(of_id: str) -> answers.DeploymentAnswer:
    return views().deployment(path_id(of_id))


@api.get("/signals/<of_id>")
def get_signal(of_id: str) -> answers.SignalAnswer:
    return views().trade(path_id(of_id))


@api.get("/positions")
def get_positions() -> answers.PositionsAnswer:
    return views().positions(query(api, bodies.PositionsQuery))


@api.get("/venue-markets")
def get_markets() -> answers.MarketsAnswer:
    return views().markets(query(api, bodies.MarketsQuery))
