"""What writes routing config, agents and deployments."""

from functools import cache

from agent_where import answers, bodies, wiring
from agent_where.api import as_handler, body, make_api, path_id, query
from agent_where.settings import ApiSettings

api = make_api()
handler = as_handler(api)
administration = cache(lambda: wiring.administration(ApiSettings.from_environment()))


@api.post("/venue-routing/config")
def post_config() -> answers.ConfigAnswer:
    return administration().set_config(body(api, bodies.ConfigBody))


@api.delete("/venue-routing/config")
def delete_config() -> answers.ConfigAnswer:
    return administration().delete_config(query(api, bodies.AgentQuery).agent_id)


@api.post("/agents", status_code=201)
def post_agent() -> answers.AgentAnswer:
    return administration().create_agent(body(api, bodies.AgentBody))


@api.patch("/agents/<of_id>")
def patch_agent(of_id: str) -> answers.AgentAnswer:
    return administration().change_agent(path_id(of_id), body(api, bodies.AgentChange))


@api.post("/agents/<of_id>/deployments", status_code=201)
def post_deployment(of_id: str) -> answers.DeploymentAnswer:
    return administration().create_deployment(path_id(of_id), body(api, bodies.DeploymentBody))


@api.patch("/deployments/<of_id>")
def patch_deployment(of_id: str) -> answers.DeploymentAnswer:
    return administration().change_deployment(path_id(of_id), body(api, bodies.DeploymentChange))
