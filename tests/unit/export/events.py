"""Events in the shape that AWS documents, whole.

Sources: "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway" (payload formats 1.0 and 2.0) and "Input
format of a Lambda function for proxy integration" (REST APIs), Amazon API Gateway Developer Guide; "Invoking Lambda
function URLs", AWS Lambda Developer Guide.
"""

from __future__ import annotations

from typing import Any


def http_api(
    path: str,
    body: str | None,
    *,
    method: str = "POST",
    stage: str = "$default",
    base64: bool = False,
    **headers: str,
) -> dict[str, Any]:
    """HTTP API, payload format 2.0: the path begins with the stage, unless that is the default one."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path if stage == "$default" else f"/{stage}{path}",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1", "cookie2"],
        "headers": {
            "accept": "*/*",
            "content-length": "999999",
            "content-type": "application/json",
            "host": "id.execute-api.us-east-1.amazonaws.com",
            "user-agent": "curl/8.5.0",
            "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
            "x-forwarded-for": "205.255.255.176",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "authentication": None,
            "authorizer": {"jwt": {"claims": {"claim1": "value1"}, "scopes": ["scope1", "scope2"]}},
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": stage,
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "pathParameters": {"parameter1": "value1"},
        "isBase64Encoded": base64,
        "stageVariables": {"stageVariable1": "value1", "stageVariable2": "value2"},
    }
    return event if body is None else {**event, "body": body}


def rest_api(
    path: str, body: str | None, *, method: str = "POST", stage: str = "prod", base64: bool = False, **headers: str
) -> dict[str, Any]:
    """REST API, or HTTP API with payload format 1.0: header names as the client wrote them, the path without stage."""
    given = {
        "Accept": "*/*",
        "CloudFront-Forwarded-Proto": "https",
        "Content-Type": "application/json",
        "Host": "0123456789.execute-api.us-east-1.amazonaws.com",
        "User-Agent": "Custom User Agent String",
        "X-Forwarded-For": "127.0.0.1, 127.0.0.2",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        **{name.replace("_", "-").title(): value for name, value in headers.items()},
    }
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": given,
        "multiValueHeaders": {name: [value] for name, value in given.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "1234567890",
            "domainName": "0123456789.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "0123456789",
            "extendedRequestId": "request-id",
            "httpMethod": method,
            "identity": {
                "accessKey": None,
                "accountId": None,
                "caller": None,
                "cognitoAuthenticationProvider": None,
                "cognitoAuthenticationType": None,
                "cognitoIdentityId": None,
                "cognitoIdentityPoolId": None,
                "principalOrgId": None,
                "sourceIp": "127.0.0.1",
                "user": None,
                "userAgent": "Custom User Agent String",
                "userArn": None,
            },
            "path": f"/{stage}{path}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "requestTime": "09/Apr/2015:12:34:56 +0000",
            "requestTimeEpoch": 1428582896000,
            "resourceId": "123456",
            "resourcePath": "/{proxy+}",
            "stage": stage,
        },
        "body": body,
        "isBase64Encoded": base64,
    }
