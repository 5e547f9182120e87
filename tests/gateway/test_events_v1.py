from __future__ import annotations

from tests.gateway.requests import HTTP_1, REST, call, inside, request, with_headers

from lamella.gateway import events_v1

IDENTITY = {
    "accessKey": None,
    "accountId": None,
    "caller": None,
    "cognitoAuthenticationProvider": None,
    "cognitoAuthenticationType": None,
    "cognitoIdentityId": None,
    "cognitoIdentityPoolId": None,
    "principalOrgId": None,
    "sourceIp": "192.0.2.7",
    "user": None,
    "userAgent": "curl/8",
    "userArn": None,
}


def test_the_whole_event_of_a_rest_api() -> None:
    asked = request(
        "POST", "/v1/jobs/a%20b?x=1&y=2&x=3", b'{"a":1}', User_Agent="curl/8", Content_Type="application/json"
    )
    asked = with_headers(asked, ("X-Two", "1"), ("x-two", "2"))
    event = events_v1.event(call(REST, asked, "POST /v1/jobs/{id}", id="a b"))
    assert event == {
        "resource": "/v1/jobs/{id}",
        "path": "/v1/jobs/a%20b",
        "httpMethod": "POST",
        "headers": {
            "Host": "127.0.0.1:3000",
            "User-Agent": "curl/8",
            "Content-Type": "application/json",
            "X-Two": "2",
            "X-Amzn-Trace-Id": "Root=1-5e5ff745-000000000000000000000001",
            "X-Forwarded-For": "192.0.2.7",
            "X-Forwarded-Port": "3000",
            "X-Forwarded-Proto": "http",
        },
        "multiValueHeaders": {
            "Host": ["127.0.0.1:3000"],
            "User-Agent": ["curl/8"],
            "Content-Type": ["application/json"],
            "X-Two": ["1", "2"],
            "X-Amzn-Trace-Id": ["Root=1-5e5ff745-000000000000000000000001"],
            "X-Forwarded-For": ["192.0.2.7"],
            "X-Forwarded-Port": ["3000"],
            "X-Forwarded-Proto": ["http"],
        },
        "queryStringParameters": {"x": "3", "y": "2"},
        "multiValueQueryStringParameters": {"x": ["1", "3"], "y": ["2"]},
        "pathParameters": {"id": "a b"},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "lamella000",
            "domainName": "127.0.0.1:3000",
            "domainPrefix": "127",
            "extendedRequestId": "the-id",
            "httpMethod": "POST",
            "identity": IDENTITY,
            "path": "/prod/v1/jobs/a%20b",
            "protocol": "HTTP/1.1",
            "requestId": "the-id",
            "requestTime": "04/Mar/2020:19:15:17 +0000",
            "requestTimeEpoch": 1583349317135,
            "resourceId": "000000",
            "resourcePath": "/v1/jobs/{id}",
            "stage": "prod",
        },
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }


def test_what_there_is_none_of_is_null() -> None:
    event = events_v1.event(call(REST, request("GET", "/"), "GET /"))
    for key in ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body"):
        assert event[key] is None
    assert event["isBase64Encoded"] is False
    assert "authorizer" not in inside(event, "requestContext")


def test_an_http_api_says_its_version_and_writes_names_small_but_for_some() -> None:
    asked = request("GET", "/a%2Fb", Accept="*/*", User_Agent="curl/8", X_Own="1")
    event = events_v1.event(call(HTTP_1._replace(stage="dev"), asked, "$default"))
    assert event["version"] == "1.0"
    assert event["resource"] == "$default"
    assert event["path"] == inside(event, "requestContext", "path") == "/dev/a/b"
    assert inside(event, "requestContext", "resourceId") is None
    assert list(inside(event, "headers")) == [
        "Host",
        "accept",
        "User-Agent",
        "x-own",
        "Content-Length",
        "X-Amzn-Trace-Id",
        "X-Forwarded-For",
        "X-Forwarded-Port",
        "X-Forwarded-Proto",
    ]


def test_what_the_authorizer_said() -> None:
    passed = call(REST)._replace(context={"team": "red"}, principal="ann")
    assert inside(events_v1.event(passed), "requestContext", "authorizer") == {"principalId": "ann", "team": "red"}


def test_what_a_token_authorizer_is_asked() -> None:
    asked = request("GET", "/v1/jobs", Authorization="Bearer x")
    assert events_v1.token(call(REST, asked), "Bearer x") == {
        "type": "TOKEN",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:lamella000/prod/GET/v1/jobs",
        "authorizationToken": "Bearer x",
    }


def test_what_a_request_authorizer_is_asked() -> None:
    asked = request("POST", "/v1/jobs?x=1", b"secret", Authorization="Bearer x")
    rest = events_v1.asking(call(REST, asked, "POST /v1/jobs"), ("Bearer x",))
    assert (rest["type"], rest["resource"], rest["httpMethod"]) == ("REQUEST", "/v1/jobs", "POST")
    assert rest["methodArn"] == "arn:aws:execute-api:us-east-1:123456789012:lamella000/prod/POST/v1/jobs"
    assert inside(rest, "headers", "Authorization") == "Bearer x"
    assert inside(rest, "queryStringParameters") == {"x": "1"}
    assert inside(rest, "requestContext", "stage") == "prod"
    assert not {"body", "identitySource", "version"} & set(rest)
    http = events_v1.asking(call(HTTP_1, asked, "POST /v1/jobs"), ("user1", "123"))
    assert http["version"] == "1.0"
    assert http["identitySource"] == http["authorizationToken"] == "user1,123"
