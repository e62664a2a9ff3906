"""Setup as a part of a deployment: CloudFormation's question answered with setup's report.

CloudFormation waits for an answer at an address that it gives, whatever happens, and takes a
deployment back that ends badly. What setup does is in readiness.py.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import urllib3

from agent_where.errors import Unavailable
from agent_where.report import Report
from agent_where.store.database_settings import as_compared

PHYSICAL_ID = "database"
"""Of a new one. It stays what it is: another would make CloudFormation delete the old."""

_HOST = "Database"
_DATABASE = (_HOST, "Port", "Name")
"""What of the resource says which database it is."""
_REASON_CHARACTERS = 1000  # CloudFormation takes an answer of 4096 bytes in all
_TIMEOUT_SECONDS = 10.0


def is_deployment(event: Mapping[str, Any]) -> bool:
    """Whether it is CloudFormation that asks."""
    return "RequestType" in event and "ResponseURL" in event


def answer(event: Mapping[str, Any], set_up: Callable[[str | None], Report]) -> None:
    """Set up, unless the stack is being deleted, and tell CloudFormation how it went.

    Deleting does nothing: the database and everything in it stays.

    Args:
        set_up: is told where the database was before, if that is elsewhere.

    Raises:
        Unavailable: CloudFormation took no answer; it gives up after its own time-out.
    """
    if event["RequestType"] == "Delete":
        _tell(event, success=True, reason="the database is left as it is")
        return
    found = None
    try:
        found = set_up(_moved_from(event))
    finally:
        if found is None:
            _tell(event, success=False, reason="setup failed unforeseen: its log says how")
    todo = "; ".join(sentence for check in found.checks for sentence in check.todo)
    _tell(event, success=found.success, reason=todo or "done")


def _moved_from(event: Mapping[str, Any]) -> str | None:
    """The database of the deployment before, where this one's is another."""
    before, now = (event.get(name, {}) for name in ("OldResourceProperties", "ResourceProperties"))
    told = [str(before[name]) for name in _DATABASE if name in before]
    return " ".join(told) if told and _compared(before) != _compared(now) else None


def _compared(properties: Mapping[str, str]) -> dict[str, str]:
    """What says which database it is, however its host is written."""
    found = {name: properties[name] for name in _DATABASE if name in properties}
    return found | {_HOST: as_compared(found[_HOST])} if _HOST in found else found


def _tell(event: Mapping[str, Any], *, success: bool, reason: str) -> None:
    body = {
        "Status": "SUCCESS" if success else "FAILED",
        "Reason": reason[:_REASON_CHARACTERS],
        "PhysicalResourceId": event.get("PhysicalResourceId", PHYSICAL_ID),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    try:
        told = urllib3.request(
            "PUT",
            str(event["ResponseURL"]),
            body=json.dumps(body, ensure_ascii=False).encode(),
            headers={"Content-Type": ""},  # the address is signed for none
            timeout=_TIMEOUT_SECONDS,
            retries=urllib3.Retry(total=3, backoff_factor=0.5),
        )
    except urllib3.exceptions.HTTPError as fault:
        raise Unavailable(f"CloudFormation takes no answer: {type(fault).__name__}") from None
    if told.status >= 300:
        raise Unavailable(f"CloudFormation takes no answer: status {told.status}")
