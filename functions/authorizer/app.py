"""Lets a caller with a good token into the whole API and says who it is: a refused one is API
Gateway's 401, any other failure, as when the issuer is away, its 503. No more is decided here.
"""

import time
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerResponse,
    APIGatewayAuthorizerTokenEvent,
    APIGatewayRouteArn,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_where.errors import Unauthorized
from agent_where.issuer import IssuerKeys
from agent_where.settings import AuthorizerSettings
from agent_where.tokens import Identity, Rules, TokenRefused, bearer_token, verify

logger = Logger()
metrics = Metrics(namespace="AgentWhere")
settings = cache(AuthorizerSettings.from_environment)
keys = cache(lambda: IssuerKeys.at(settings().jwks_url, time.time))


def rules() -> Rules:
    return Rules(
        issuer=settings().jwt_issuer,
        audience=settings().jwt_audience,
        scope_claim=settings().jwt_scope_claim,
        scope_prefix=settings().jwt_scope_prefix,
        wallet_claim=settings().jwt_wallet_claim,
    )


def policy(api: APIGatewayRouteArn, identity: Identity) -> dict[str, Any]:
    """One for every route and method of the stage, since API Gateway uses it for all of them."""
    stage = (api.region, api.aws_account_id, api.api_id, api.stage)
    answer = APIGatewayAuthorizerResponse(
        identity.subject, *stage, identity.context(), partition=api.partition
    )
    answer.allow_all_routes()
    return answer.asdict()


@logger.inject_lambda_context(clear_state=True, log_event=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    metrics.add_metric("Tokens", MetricUnit.Count, 1)
    try:
        token = bearer_token(event.get("authorizationToken"))
        identity = verify(token, rules(), keys().find, time.time())
    except TokenRefused as refused:
        metrics.add_metric("TokensRefused", MetricUnit.Count, 1)
        logger.info("token refused", reason=refused.reason)
        raise Unauthorized("Unauthorized") from None
    return policy(APIGatewayAuthorizerTokenEvent(event).parsed_arn, identity)
