"""An operator's functions: invoked with AWS's own rights, since they are not behind the API.

boto3 is an extra of this client (`pipx install '.[operator]'`); whoever only trades has no need of
it. Nothing is sent twice.
"""

from typing import TYPE_CHECKING

from agent_where_cli.answers import Answer, Json, parse, written
from agent_where_cli.faults import Refused, Unavailable, Usage

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

STACK_SETTING = "AGENT_WHERE_STACK"
_DONE, _REFUSED, _AWAY = 200, 400, 503
_PERHAPS = "It may have been carried out all the same."


class Functions:
    """The functions of one deployment.

    Args:
        stack: the deployment's name.
        timeout_seconds: for an answer.
    """

    def __init__(self, stack: str | None, *, timeout_seconds: float) -> None:
        if not stack:
            raise Usage(f"No deployment is named: set {STACK_SETTING}, or give --stack.")
        self._stack = stack
        self._seconds = timeout_seconds

    def ask(self, name: str, event: Json) -> Answer:
        """Invoke `<stack>-<name>`, once, for what it can only do or refuse. Raises Fault."""
        answer = self.told(name, event)
        if answer.status == _DONE:
            return answer
        fault = Unavailable if answer.status == _AWAY else Refused
        raise fault(answer.sentence, answer)

    def told(self, name: str, event: Json) -> Answer:
        """The same for one that reports: whatever it says is an answer. Raises Fault for none."""
        raw = self._invoked(f"{self._stack}-{name}", written(event).encode())
        body = parse(raw)
        if body is None:
            raise Unavailable(f"{name} answered what is no JSON object. {_PERHAPS}")
        if body.get("success") is True:
            return Answer(_DONE, raw, body)
        return Answer(_AWAY if body.get("code") == "UNAVAILABLE" else _REFUSED, raw, body)

    def _invoked(self, function: str, payload: bytes) -> bytes:
        client = self._client()
        from botocore.exceptions import (  # noqa: PLC0415 an extra
            BotoCoreError,
            ClientError,
            EndpointConnectionError,
            NoCredentialsError,
        )

        try:
            told = client.invoke(FunctionName=function, Payload=payload)
            raw = told["Payload"].read()
        except NoCredentialsError as error:
            raise Usage("This needs AWS credentials of somebody who may invoke it.") from error
        except EndpointConnectionError as error:
            raise Unavailable(f"AWS cannot be reached: {error}", sent=False) from error
        except ClientError as error:
            said = error.response["Error"]
            sentence = f"{said.get('Code', 'no code')}, {said.get('Message', 'no reason')}"
            raise Refused(f"AWS refused to invoke {function}: {sentence}") from error
        except BotoCoreError as error:
            raise Unavailable(f"{function} gave no answer: {error}. {_PERHAPS}") from error
        if told.get("FunctionError"):
            raise Unavailable(f"{function} failed; its log says why. {_PERHAPS}")
        return raw

    def _client(self) -> "LambdaClient":
        try:
            import boto3  # noqa: PLC0415 an extra
            from botocore.config import Config  # noqa: PLC0415
            from botocore.exceptions import BotoCoreError  # noqa: PLC0415
        except ImportError as error:
            raise Usage(
                "This needs boto3: install agent-where with its extra `operator`."
            ) from error
        once = Config(
            connect_timeout=5, read_timeout=self._seconds, retries={"total_max_attempts": 1}
        )
        try:
            return boto3.client("lambda", config=once)
        except BotoCoreError as error:
            raise Usage(f"AWS is not set up on this machine: {error}") from error
