"""Sets the database up and tells what is missing. `{}` does both, `{"report": true}` only tells;
CloudFormation asks for both at each deployment.
"""

from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_where import custom_resource, wiring
from agent_where.errors import BadSetting, Unavailable
from agent_where.readiness import prepare, unreachable, unusable
from agent_where.report import Report
from agent_where.settings import SetupSettings
from agent_where.venues.registry import SUPPORTED

MIGRATIONS = Path(__file__).parent / "migrations"

logger = Logger()
tracer = Tracer(auto_patch=False)  # nothing of AWS is loaded before it is used


def run(*, only_report: bool, moved_from: str | None) -> Report:
    """One report, whatever is missing. The connection ends with the run: setup is seldom run."""
    try:
        settings = SetupSettings.from_environment()
    except BadSetting as fault:
        return unusable(fault)
    look = partial(prepare, only_report=only_report, moved_from=moved_from)
    try:
        with closing(wiring.database(settings)) as database:
            return look(database, MIGRATIONS, settings, SUPPORTED)
    except BadSetting as fault:
        return unusable(fault)
    except Unavailable as fault:
        return unreachable(fault, settings)


def run_and_tell(moved_from: str | None = None, *, only_report: bool = False) -> Report:
    """The same, with one line in the log."""
    found = run(only_report=only_report, moved_from=moved_from)
    tell = logger.info if found.success and found.fit else logger.warning
    todo = [sentence for check in found.checks for sentence in check.todo]
    tell("setup ended", success=found.success, fit=found.fit, applied=found.applied, todo=todo)
    return found


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any] | None:
    if custom_resource.is_deployment(event):
        custom_resource.answer(event, run_and_tell)
        return None
    return run_and_tell(only_report=event.get("report") is True).as_json()
