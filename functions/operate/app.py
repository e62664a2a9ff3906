"""What an operator does after an accident: one request, carried out whole or not at all."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_where import wiring
from agent_where.errors import AgentWhereError
from agent_where.operating import operate
from agent_where.settings import OperateSettings

logger = Logger()
tracer = Tracer(auto_patch=False)  # nothing of AWS is loaded before it is used
settings = cache(OperateSettings.from_environment)
restores = cache(lambda: wiring.restores(settings()))
dead_letters = cache(lambda: wiring.dead_letters(settings()))


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    try:
        answer = operate(event, restores(), dead_letters())
    except AgentWhereError as error:
        answer = {"success": False, "error": str(error), "code": "UNAVAILABLE"}
    logger.info("operated", asked=[*event], success=answer["success"])
    return answer
