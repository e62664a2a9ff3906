"""Tells everything that does not add up. `{"venues": true}` asks the venues as well, a day back.

`{"venues": true, "since": "2026-01-31T12:00:00Z"}` asks them from then on. It changes nothing: its
role may only select, and its connection refuses to write.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AwareDatetime

from agent_where import wiring
from agent_where.doctor import LOOKS_BACK, Instruments, diagnose
from agent_where.errors import AgentWhereError, BadInput
from agent_where.messages import Body
from agent_where.parsing import validate
from agent_where.settings import DoctorSettings

logger = Logger()
tracer = Tracer(auto_patch=False)  # nothing of AWS is loaded before it is used

SECONDS_TO_SPARE = 45.0  # for the last statement or venue that was asked, and the answer


class Request(Body):
    venues: bool = False
    since: AwareDatetime | None = None


@cache
def instruments() -> Instruments:
    return wiring.instruments(DoctorSettings.from_environment())


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    try:
        asked = validate(Request, event)
        since = asked.since or datetime.now(UTC) - LOOKS_BACK
        left = context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_SPARE
        found = diagnose(instruments(), venues_since=since if asked.venues else None, seconds=left)
    except AgentWhereError as error:
        code = error.code if isinstance(error, BadInput) else "UNAVAILABLE"
        return {"success": False, "error": str(error), "code": code}
    logger.info("examined", sound=found.sound, found=[c.name for c in found.checks if not c.ok])
    return found.as_json()
