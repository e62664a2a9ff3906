"""POST /signals: a signal is stored, then its id is put on the queue."""

from functools import cache

from aws_lambda_powertools import Logger

from agent_where import wiring
from agent_where.answers import TakenIn
from agent_where.api import as_handler, make_api, read_body
from agent_where.intake import take_in
from agent_where.messages import parse_signal
from agent_where.settings import SignalIntakeSettings

logger = Logger()
api = make_api()
handler = as_handler(api)
intake = cache(lambda: wiring.intake(SignalIntakeSettings.from_environment()))


@api.post("/signals", status_code=202)
def post_signal() -> TakenIn:
    message = parse_signal(read_body(api))
    logger.append_keys(signal_id=str(message.signal_id), agent_id=str(message.agent_id))
    taken = take_in(message, intake())
    logger.info("signal taken in")
    return taken
