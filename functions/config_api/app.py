"""What writes routing config, agents, deployments and controls."""

from functools import cache

from agent_where import wiring
from agent_where.api import as_handler, make_api, serve
from agent_where.contract import routes
from agent_where.settings import ApiSettings

api = make_api()
handler = as_handler(api)
own = cache(lambda: wiring.administration(ApiSettings.from_environment()))
keys = cache(lambda: wiring.onboarding(ApiSettings.from_environment()))
controls = cache(lambda: wiring.controls(ApiSettings.from_environment()))

serve(api, routes.POST_CONFIG, lambda call: own().set_config(call.caller, call.body))
serve(api, routes.DELETE_CONFIG, lambda call: own().delete_config(call.reach, call.query.agent_id))
serve(api, routes.POST_AGENT, lambda call: own().create_agent(call.caller, call.body))
serve(api, routes.PATCH_AGENT, lambda call: own().change_agent(call.reach, call.id, call.body))
serve(
    api,
    routes.POST_DEPLOYMENT,
    lambda call: keys().complete(
        own().create_deployment(call.caller, call.id, call.body), call.reach
    ),
)
serve(
    api,
    routes.PATCH_DEPLOYMENT,
    lambda call: keys().complete(
        own().change_deployment(call.reach, call.id, call.body), call.reach
    ),
)
serve(api, routes.PUT_CONTROL, lambda call: controls().set(call.caller, call.body))
