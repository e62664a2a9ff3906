"""A deployed template on the local AWS, seen from outside: invoke, send, call, count."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import boto3
import urllib3
from botocore.config import Config
from types_boto3_apigateway import APIGatewayClient
from types_boto3_cloudformation import CloudFormationClient
from types_boto3_lambda import LambdaClient
from types_boto3_logs import CloudWatchLogsClient
from types_boto3_s3 import S3Client
from types_boto3_sqs import SQSClient

from local.environment import REGION
from local.gateway import STAGE
from local.issuer import Issuer
from local.venues import Venues

NAME = "agent-where"
BUCKET = "agent-where-artifacts"
_ACCESS_KEY, _SECRET_KEY = "local", "local"  # the local AWS takes anything
_INVOKE_SECONDS = 130
_TOKEN_SECONDS = 12 * 3600

QueueName = Literal["Signal", "Order", "DeadLetter"]


class FunctionFailed(Exception):
    """A function raised; the message holds its error and the end of its log."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered; `body` is parsed JSON, and names of headers are in any case."""

    status: int
    body: Any
    headers: Mapping[str, str]


class LocalAws:
    """Clients of the local AWS."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._session = boto3.session.Session(_ACCESS_KEY, _SECRET_KEY, region_name=REGION)
        self._patient = Config(
            read_timeout=_INVOKE_SECONDS, retries={"total_max_attempts": 1}, max_pool_connections=32
        )

    @cached_property
    def sqs(self) -> SQSClient:
        """Queues."""
        return self._session.client("sqs", endpoint_url=self.endpoint, config=self._patient)

    @cached_property
    def functions(self) -> LambdaClient:
        """Functions; an invocation is sent once and may take two minutes."""
        return self._session.client("lambda", endpoint_url=self.endpoint, config=self._patient)

    @cached_property
    def s3(self) -> S3Client:
        """Where the deployment's packages go."""
        return self._session.client("s3", endpoint_url=self.endpoint)

    @cached_property
    def stacks(self) -> CloudFormationClient:
        """What was deployed."""
        return self._session.client("cloudformation", endpoint_url=self.endpoint)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """What functions said."""
        return self._session.client("logs", endpoint_url=self.endpoint)

    @cached_property
    def gateway(self) -> APIGatewayClient:
        """The API's configuration."""
        return self._session.client("apigateway", endpoint_url=self.endpoint)

    def outputs(self) -> Mapping[str, str]:
        """The deployed stack's outputs by name."""
        described = self.stacks.describe_stacks(StackName=NAME)["Stacks"][0]
        return {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}


class Stack:
    """The deployed project.

    Args:
        dsn: the database's URL, password included.
        venues: the simulated venues; None where the real ones are asked.
        issuer: whose tokens the API takes.
    """

    def __init__(self, aws: LocalAws, dsn: str, venues: Venues | None, issuer: Issuer) -> None:
        self.aws = aws
        self.dsn = dsn
        self.venues = venues
        self.issuer = issuer
        self._token = issuer.token(scopes=("admin",), seconds=_TOKEN_SECONDS)
        self.outputs = aws.outputs()
        self.api_url = f"{aws.endpoint}/_aws/execute-api/{self.outputs['RestApiId']}/{STAGE}"
        self._http = urllib3.PoolManager(maxsize=32, retries=False)

    def invoke(self, function: str, payload: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """What a function answers.

        Args:
            function: its folder's name, such as `market_sync`.

        Raises:
            FunctionFailed: it raised.
        """
        answer = self.aws.functions.invoke(
            FunctionName=f"{NAME}-{function.replace('_', '-')}",
            Payload=json.dumps(payload or {}).encode(),
        )
        body = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            raise FunctionFailed(f"{function}: {json.dumps(body)[:2000]}")
        return body

    def send(self, queue: QueueName, body: str, *, group: str, deduplication: str) -> None:
        """Put one message on a queue."""
        self.aws.sqs.send_message(
            QueueUrl=self.queue_url(queue),
            MessageBody=body,
            MessageGroupId=group,
            MessageDeduplicationId=deduplication,
        )

    def depth(self, queue: QueueName) -> int:
        """How many messages a queue holds, those in flight included."""
        found = self.aws.sqs.get_queue_attributes(
            QueueUrl=self.queue_url(queue), AttributeNames=["All"]
        )["Attributes"]
        waiting = int(found["ApproximateNumberOfMessages"])
        return waiting + int(found["ApproximateNumberOfMessagesNotVisible"])

    def queue_url(self, queue: QueueName) -> str:
        """A queue's URL."""
        return self.outputs[f"{queue}QueueUrl"]

    def call(self, method: str, path: str, body: object = None, token: str | None = None) -> Answer:
        """Call the API.

        Args:
            path: begins with a slash and may carry a query, such as `/agents?limit=1`.
            body: sent as JSON; None sends none, bytes go as they are.
            token: the bearer's; None takes an administrator's, an empty one sends none.
        """
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {} if raw is None else {"Content-Type": "application/json"}
        if bearer := self._token if token is None else token:
            headers["Authorization"] = f"Bearer {bearer}"
        url = self.api_url + path
        answer = self._http.request(method, url, body=raw, headers=headers, timeout=30)
        told = json.loads(answer.data) if answer.data else None
        return Answer(answer.status, told, answer.headers)
