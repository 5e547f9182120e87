from __future__ import annotations

from tests.gateway.requests import HTTP, call, inside, request, with_headers

from lamella.gateway import events_v2


def test_the_whole_event() -> None:
    asked = request(
        "POST",
        "/v1/jobs/a%20b?x=1&y=%2B&x=a+b",
        b"\x00",
        User_Agent="curl/8",
        Content_Type="image/png",
        Cookie="a=1; b=2",
    )
    asked = with_headers(asked, ("X-Two", "1"), ("x-two", "2"), ("cookie", "c=3"))
    assert events_v2.event(call(HTTP, asked, "POST /v1/jobs/{id}", id="a b")) == {
        "version": "2.0",
        "routeKey": "POST /v1/jobs/{id}",
        "rawPath": "/v1/jobs/a b",
        "rawQueryString": "x=1&y=%2B&x=a+b",
        "cookies": ["a=1", "b=2", "c=3"],
        "headers": {
            "host": "127.0.0.1:3000",
            "user-agent": "curl/8",
            "content-type": "image/png",
            "x-two": "1,2",
            "content-length": "1",
            "x-amzn-trace-id": "Root=1-5e5ff745-000000000000000000000001",
            "x-forwarded-for": "192.0.2.7",
            "x-forwarded-port": "3000",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"x": "1,a b", "y": "+"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "lamella000",
            "domainName": "127.0.0.1:3000",
            "domainPrefix": "127",
            "http": {
                "method": "POST",
                "path": "/v1/jobs/a b",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "curl/8",
            },
            "requestId": "the-id",
            "routeKey": "POST /v1/jobs/{id}",
            "stage": "$default",
            "time": "04/Mar/2020:19:15:17 +0000",
            "timeEpoch": 1583349317135,
        },
        "pathParameters": {"id": "a b"},
        "body": "AA==",
        "isBase64Encoded": True,
    }


def test_what_there_is_none_of_is_left_out() -> None:
    event = events_v2.event(call(HTTP, request("GET", "/"), "$default"))
    assert not {"cookies", "queryStringParameters", "pathParameters", "body", "stageVariables"} & set(event)
    assert (event["rawQueryString"], event["isBase64Encoded"], event["routeKey"]) == ("", False, "$default")
    assert inside(event, "requestContext", "http", "userAgent") == ""


def test_a_stage_with_a_name_stands_in_front_of_paths() -> None:
    event = events_v2.event(call(HTTP._replace(stage="dev"), request("GET", "/a"), "GET /a"))
    assert event["rawPath"] == inside(event, "requestContext", "http", "path") == "/dev/a"


def test_what_the_authorizer_said() -> None:
    passed = call(HTTP)._replace(context={"team": "red", "n": 1})
    assert inside(events_v2.event(passed), "requestContext", "authorizer") == {"lambda": {"team": "red", "n": 1}}
    nothing = call(HTTP)._replace(context={})
    assert inside(events_v2.event(nothing), "requestContext", "authorizer") == {"lambda": None}


def test_what_an_authorizer_is_asked() -> None:
    asked = request("POST", "/v1/jobs/7", b"secret", Authorization="Bearer x")
    event = events_v2.asking(call(HTTP, asked, "POST /v1/jobs/{id}", id="7"), ("Bearer x",))
    assert (event["version"], event["type"], event["identitySource"]) == ("2.0", "REQUEST", ["Bearer x"])
    assert event["routeArn"] == "arn:aws:execute-api:us-east-1:123456789012:lamella000/$default/POST/v1/jobs/7"
    assert event["pathParameters"] == {"id": "7"}
    assert not {"body", "isBase64Encoded"} & set(event)
