"""Calls of an AWS service in its JSON protocol, signed by botocore, without one of its clients.

A client reads descriptions of all services and endpoints first, which takes a cold start longer
than everything else that signing an order needs. What may be repeated is repeated, for seconds.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

if TYPE_CHECKING:
    from botocore.session import Session

CONNECT_SECONDS: Final = 1
READ_SECONDS: Final = 2
_PAUSES_MS: Final = (100, 400)
_PASSES: Final = frozenset(
    {
        "LimitExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class Away(Exception):
    """No answer, or one that says to come again."""


class Refused(Exception):
    """The service refused it, and would again. `code` is its word for why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AwsService:
    """One service, in the region and with the credentials of this process.

    Args:
        name: as in its host's name and in signatures.
        target: what its operations are called in.
        passes: the service's own words for what may soon be over.
    """

    def __init__(
        self,
        name: str,
        target: str,
        *,
        passes: frozenset[str] = frozenset(),
        read_seconds: float = READ_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._target = target
        self._passes = _PASSES | passes
        self._sleep = sleep
        timeout = Timeout(connect=min(CONNECT_SECONDS, read_seconds), read=read_seconds)
        self._pools = urllib3.PoolManager(
            cert_reqs="CERT_REQUIRED", retries=False, timeout=timeout, maxsize=1
        )

    def call(
        self, operation: str, parameters: Mapping[str, object], *, again: bool = True
    ) -> Mapping[str, object]:
        """The answer to one operation.

        Args:
            again: whether it may be asked for twice.

        Raises:
            Away: no answer, in as many tries as it may have.
            Refused: an answer that will not change.
        """
        for pause_ms in _PAUSES_MS if again else ():
            try:
                return self._once(operation, parameters)
            except Away:
                self._sleep(pause_ms / 1000)
        return self._once(operation, parameters)

    def _once(self, operation: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
        body = json.dumps(parameters).encode()
        headers = self._signed(operation, body)
        try:
            answer = self._pools.request(
                "POST", self._url, body=body, headers=headers, redirect=False
            )
        except HTTPError as fault:
            raise Away(f"no answer: {type(fault).__name__}") from fault
        return self._read(answer.status, answer.data)

    def _read(self, status: int, body: bytes) -> Mapping[str, object]:
        try:
            told = json.loads(body)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise Away(f"status {status} without JSON")
        if status == 200:
            return told
        code = str(told.get("__type", f"status {status}")).rpartition("#")[2]
        if status >= 500 or status == 429 or code in self._passes:
            raise Away(code)
        raise Refused(code)

    def _signed(self, operation: str, body: bytes) -> dict[str, str]:
        from botocore.auth import SigV4Auth  # noqa: PLC0415 only where something of AWS is used
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{self._target}.{operation}",
        }
        request = AWSRequest("POST", self._url, data=body, headers=headers)
        try:
            credentials = self._session.get_credentials()
            if credentials is None:
                raise Away("no credentials to sign with")
            SigV4Auth(credentials, self._name, self._region).add_auth(request)
        except BotoCoreError as fault:
            raise Away(f"no credentials to sign with: {fault}") from fault
        return {name: str(value) for name, value in request.headers.items()}

    @cached_property
    def _session(self) -> "Session":
        from botocore.session import get_session  # noqa: PLC0415

        return get_session()

    @cached_property
    def _region(self) -> str:
        region = self._session.get_config_variable("region")
        if not region:
            raise Refused("no region is set")
        return str(region)

    @cached_property
    def _url(self) -> str:
        """Where the environment points the service, and otherwise its public host."""
        known = os.environ
        pointed = known.get(f"AWS_ENDPOINT_URL_{self._name.upper()}", known.get("AWS_ENDPOINT_URL"))
        if pointed:
            return f"{pointed.rstrip('/')}/"
        suffix = "amazonaws.com.cn" if self._region.startswith("cn-") else "amazonaws.com"
        return f"https://{self._name}.{self._region}.{suffix}/"
