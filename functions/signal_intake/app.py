"""POST /signals: a signal is stored, then its id is put on the queue."""

from functools import cache

from aws_lambda_powertools import Logger

from agent_where import wiring
from agent_where.api import Call, as_handler, make_api, serve
from agent_where.contract import routes
from agent_where.contract.queries import NoQuery
from agent_where.contract.trades import TakenIn
from agent_where.intake import take_in
from agent_where.messages import SignalMessage
from agent_where.settings import SignalIntakeSettings

logger = Logger()
api = make_api()
handler = as_handler(api)
intake = cache(lambda: wiring.intake(SignalIntakeSettings.from_environment()))


def post_signal(call: Call[NoQuery, SignalMessage]) -> TakenIn:
    message = call.body
    logger.append_keys(signal_id=str(message.signal_id), agent_id=str(message.agent_id))
    taken = take_in(message, call.reach, intake())
    logger.info("signal taken in")
    return taken


serve(api, routes.POST_SIGNAL, post_signal)
