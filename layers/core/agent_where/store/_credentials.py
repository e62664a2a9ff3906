"""Where a database password comes from on AWS; botocore is imported at the first login."""

import json
from typing import TYPE_CHECKING

from agent_where.errors import BadSetting, DatabaseUnavailable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

TOKEN_SECONDS = 900  # the longest life RDS accepts; a session outlives its token


def iam_password(host: str, port: int, user: str, region: str) -> str:
    """Sign a login token for RDS with this process's own credentials; nothing is sent.

    The role needs `rds-db:connect` on the user, the user needs `rds_iam`, and the connection TLS.

    Raises:
        DatabaseUnavailable: there are no credentials to sign with.
    """
    from botocore.auth import SigV4QueryAuth  # noqa: PLC0415 - 100 ms that a laptop never needs
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, NoCredentialsError  # noqa: PLC0415
    from botocore.session import get_session  # noqa: PLC0415

    login = {"Action": "connect", "DBUser": user}
    request = AWSRequest("GET", f"https://{host}:{port}/", params=login)
    try:
        credentials = get_session().get_credentials()
        if credentials is None:
            raise NoCredentialsError
        SigV4QueryAuth(credentials, "rds-db", region, expires=TOKEN_SECONDS).add_auth(request)
    except BotoCoreError as fault:
        raise DatabaseUnavailable(f"cannot sign a login token: {fault}") from fault
    return str(request.url).removeprefix("https://")


def secret_login(secret_arn: str, *, setting: str) -> tuple[str, str]:
    """Fetch user and password from a secret as RDS writes it. Raises as `secret_password`."""
    secret = _secret(secret_arn, setting)
    match secret:
        case {"username": str(user), "password": str(password)} if user and password:
            return user, password
        case _:
            raise BadSetting(f"{setting}: the secret is not JSON with a username and a password")


def secret_password(secret_arn: str, *, setting: str = "DB_SECRET_ARN") -> str:
    """Fetch the password from a secret as RDS writes it: JSON with username and password.

    Called at each login, so the login after a rotation uses the new password.

    Args:
        secret_arn: the secret's ARN, in this process's region.
        setting: the name of the setting that it came from, for the error.

    Raises:
        BadSetting: it does not exist, may not be read or has another form.
        DatabaseUnavailable: Secrets Manager gave no answer.
    """
    match _secret(secret_arn, setting):
        case {"password": str(password)} if password:
            return password
        case _:
            raise BadSetting(f"{setting}: the secret is not JSON with a password")


def _secret(secret_arn: str, setting: str) -> object:
    """The secret's JSON; None where it is none. Its own words never go into an error."""
    import boto3  # noqa: PLC0415 - 150 ms that a laptop never needs
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    patience = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
    try:
        client = boto3.client("secretsmanager", config=patience)
        answer = client.get_secret_value(SecretId=secret_arn)
    except BotoCoreError as fault:
        raise DatabaseUnavailable(f"Secrets Manager: {fault}") from fault
    except ClientError as fault:
        raise _refusal(fault, setting) from fault
    text = answer.get("SecretString")
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _refusal(fault: "ClientError", setting: str) -> BadSetting | DatabaseUnavailable:
    code = fault.response["Error"]["Code"]
    status = fault.response["ResponseMetadata"]["HTTPStatusCode"]
    if status >= 500 or code in {"ThrottlingException", "RequestLimitExceeded"}:
        return DatabaseUnavailable(f"Secrets Manager: {code}")
    return BadSetting(f"{setting}: Secrets Manager refused it: {code}")
