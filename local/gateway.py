"""Puts the template's gateway responses where the local AWS looks for them.

AWS takes them from the API's definition; the local one only from calls of their own, followed by a
new deployment of the stage.
"""

from typing import Any

from types_boto3_apigateway import APIGatewayClient

from local.template import load

STAGE = "api"


def apply_gateway_responses(client: APIGatewayClient, api: str) -> None:
    """Put each response of the template, then deploy the stage again."""
    responses: dict[str, Any] = load()["Resources"]["Api"]["Properties"]["GatewayResponses"]
    for kind, response in responses.items():
        status = {"statusCode": response["StatusCode"]} if "StatusCode" in response else {}
        told: dict[str, Any] = {
            "responseTemplates": response["ResponseTemplates"],
            "responseParameters": {
                f"gatewayresponse.header.{name}": value
                for name, value in response.get("ResponseParameters", {}).get("Headers", {}).items()
            },
            **status,
        }
        client.put_gateway_response(restApiId=api, responseType=kind, **told)  # type: ignore[arg-type]
    client.create_deployment(restApiId=api, stageName=STAGE)
