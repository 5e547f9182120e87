"""Galerly's API: the built zip behind `lamella start-api`, with DynamoDB and S3 by moto, called over HTTP."""

from __future__ import annotations

import base64
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

import httpx
import pytest
from boto3.dynamodb.types import TypeDeserializer  # type: ignore[import-untyped]
from examples.galerly.local.aws import BUCKET, TABLE
from examples.galerly.local.stack import Stack
from examples.galerly.tests.asking import PASSWORD, Somebody, posted
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.journeys.lambdas import Lambda, cleared, sandbox_of


@pytest.fixture
def ann(stack: Stack) -> Somebody:
    return Somebody(stack).sign_up()


@pytest.fixture
def bob(stack: Stack) -> Somebody:
    return Somebody(stack).sign_up()


@pytest.fixture(scope="module")
def somebody(stack: Stack) -> tuple[Somebody, str]:
    ann = Somebody(stack).sign_up()
    return ann, ann.gallery()


def items(stack: Stack) -> list[dict[str, Any]]:
    """The whole table."""
    pages = stack.aws.client("dynamodb").get_paginator("scan").paginate(TableName=TABLE)
    read = TypeDeserializer().deserialize
    return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]


def expired(stack: Stack, pk: str, sk: str) -> None:
    """The item is over since a second; DynamoDB has not removed it yet."""
    stack.aws.client("dynamodb").update_item(
        TableName=TABLE,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        UpdateExpression="SET expires = :then",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeValues={":then": {"N": "1"}},
    )


# ---- HTTP


def test_health_and_what_is_not_there(stack: Stack) -> None:
    client = Somebody(stack)
    assert client.got("GET", "/health") == {"status": "ok"}
    assert client.ask("GET", "/v1/nowhere").json() == {"detail": "no such route"}
    refused = client.ask("PUT", "/v1/galleries")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, POST")
    assert client.ask("GET", "/v1/galleries/" + "g" * 300).status_code == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'"text"', b"null"])
def test_a_body_that_is_no_object_is_refused(stack: Stack, body: bytes) -> None:
    assert Somebody(stack).ask("POST", "/v1/sign-up", body).status_code == 400


def test_a_page_of_any_origin_may_call(stack: Stack) -> None:
    asked = {"Origin": "https://photos.example", "Access-Control-Request-Method": "PATCH"}
    answer = Somebody(stack).client.options("/v1/galleries", headers=asked)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"]


_PATHS = """
/v1/sign-in /v1/sign-up /v1/account /v1/galleries /v1/galleries/{} /v1/galleries/{}/photos /v1/galleries/{}/photos/{}
/v1/galleries/{}/shares /v1/galleries/{}/shares/{} /v1/shared/{} /v1/prices/{} /v1/billing/checkout /v1/billing/webhook
/{}
"""
_TEXT = st.text(max_size=30).filter(lambda text: not re.search("[\ud800-\udfff]", text))
_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | _TEXT, st.lists, max_leaves=4)
_FIELDS = st.sampled_from(["email", "password", "title", "name", "bytes", "days", "limit", "lookup_key"])


@settings(max_examples=400, deadline=None, database=None)
@given(
    method=st.sampled_from(["GET", "POST", "PATCH"]),
    path=st.sampled_from(_PATHS.split()),
    names=st.tuples(st.none() | _TEXT, _TEXT),
    query=st.dictionaries(st.sampled_from(["limit", "cursor"]), _TEXT, max_size=2),
    body=st.none() | st.binary(max_size=40) | st.dictionaries(_FIELDS | _TEXT, _JSON, max_size=4),
)
def test_whatever_is_asked_is_answered(
    somebody: tuple[Somebody, str],
    method: str,
    path: str,
    names: tuple[str | None, str],
    query: dict[str, str],
    body: object,
) -> None:
    """By somebody who is signed in, and has a gallery: never a crash, and every refusal says why."""
    ann, gallery = somebody
    path = path.format(*(quote(gallery if name is None else name, safe="") for name in names))
    answer = ann.ask(method, f"{str(ann.client.base_url).rstrip('/')}{path}?{urlencode(query)}", body)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["message" if answer.json().keys() == {"message"} else "detail"]


# ---- Sign-up, sign-in, sessions


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"password": PASSWORD}, "email is needed"),
        ({"email": "ann", "password": PASSWORD}, "email is no address"),
        ({"email": "a b@mail.example", "password": PASSWORD}, "email is no address"),
        ({"email": ["a@mail.example"], "password": PASSWORD}, "email is needed"),
        ({"email": "a@mail.example"}, "password is needed"),
        ({"email": "a@mail.example", "password": "short"}, "password has at least 10 characters"),
        ({"email": "a@mail.example", "password": "x" * 201}, "password has more than 200 characters"),
        ({"email": "a@mail.example", "password": "\ud800" * 12}, "password has characters that no text has"),
    ],
)
def test_who_signs_up_is_told_what_is_wrong(stack: Stack, body: dict[str, Any], detail: str) -> None:
    answer = Somebody(stack).ask("POST", "/v1/sign-up", body)
    assert (answer.status_code, answer.json()) == (422, {"detail": detail})


def test_an_address_has_one_account_however_it_is_written(stack: Stack, ann: Somebody) -> None:
    again = {"email": ann.email.upper(), "password": PASSWORD}
    assert ann.ask("POST", "/v1/sign-up", again).status_code == 409
    assert Somebody(stack).got("POST", "/v1/sign-in", again)["token"]


def test_two_that_sign_up_at_once_are_one(stack: Stack) -> None:
    body = {"email": Somebody(stack).email, "password": PASSWORD}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: Somebody(stack).ask("POST", "/v1/sign-up", body).status_code, range(4)))
    assert sorted(answers) == [201, 409, 409, 409]


def test_the_table_has_neither_passwords_nor_tokens(stack: Stack, ann: Somebody) -> None:
    kept = json.dumps(items(stack), default=str)
    token = ann.client.headers["authorization"].removeprefix("Bearer ")
    assert ann.email in kept
    assert token not in kept
    assert PASSWORD not in kept
    login = next(item for item in items(stack) if (item["pk"], item["sk"]) == (f"EMAIL#{ann.email}", "LOGIN"))
    assert login["password"].startswith("scrypt$32768$8$3$")


def test_a_session_ends_by_signing_out_and_by_time(stack: Stack, ann: Somebody) -> None:
    body = {"email": ann.email, "password": PASSWORD}
    other = Somebody(stack)
    other.client.headers["authorization"] = f"bearer {other.got('POST', '/v1/sign-in', body)['token']}"
    assert other.got("GET", "/v1/account") == {"email": ann.email, "plan": "free"}
    assert other.ask("POST", "/v1/sign-out").status_code == 204
    over = other.ask("GET", "/v1/account")
    assert (over.status_code, over.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    user = next(item["user"] for item in items(stack) if (item["pk"], item["sk"]) == (f"EMAIL#{ann.email}", "LOGIN"))
    session = next(item for item in items(stack) if item["sk"] == "SESSION" and item["user"] == user)
    assert ann.ask("GET", "/v1/account").status_code == 200
    expired(stack, session["pk"], session["sk"])
    assert ann.ask("GET", "/v1/account").status_code == 401


@pytest.mark.parametrize("authorization", ["", "Basic YTpi", "Bearer", "Bearer nonsense", "Bearer é"])
def test_nobody_is_let_in(stack: Stack, authorization: str) -> None:
    answer = Somebody(stack).client.get("/v1/galleries", headers={b"authorization": authorization.encode()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_wrong_passwords_are_counted_and_an_unknown_address_looks_the_same(stack: Stack, ann: Somebody) -> None:
    wrong = {"email": ann.email, "password": "not the password"}
    first = ann.ask("POST", "/v1/sign-in", wrong)
    unknown = ann.ask("POST", "/v1/sign-in", {**wrong, "email": Somebody(stack).email})
    assert (first.status_code, first.json()) == (unknown.status_code, unknown.json())
    assert first.status_code == 401
    for _ in range(40):  # the count begins anew each quarter of an hour, which may just end
        if (answer := ann.ask("POST", "/v1/sign-in", wrong)).status_code != 401:
            break
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert ann.ask("POST", "/v1/sign-in", {"email": ann.email, "password": PASSWORD}).status_code == 429


def test_many_guesses_at_once_are_no_more_than_ten(stack: Stack, ann: Somebody) -> None:
    wrong = {"email": ann.email, "password": "not the password"}
    windows = {time.time() // 900}
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: Somebody(stack).ask("POST", "/v1/sign-in", wrong).status_code, range(32)))
    windows.add(time.time() // 900)
    assert set(told) <= {401, 429}
    assert told.count(401) <= 10 * len(windows)


def test_who_signs_in_often_is_let_in(ann: Somebody) -> None:
    for _ in range(12):
        assert ann.got("POST", "/v1/sign-in", {"email": ann.email, "password": PASSWORD})["token"]


# ---- Galleries and links


def test_galleries(ann: Somebody) -> None:
    names = {ann.gallery(title) for title in ("Winter", "Sommer in Brno é", "Herbst")}
    first = ann.got("GET", "/v1/galleries?limit=2")
    second = ann.got("GET", f"/v1/galleries?limit=2&cursor={first['cursor']}")
    assert {row["gallery"] for row in first["galleries"] + second["galleries"]} == names
    assert second["cursor"] is None
    gallery = names.pop()
    assert ann.got("PATCH", f"/v1/galleries/{gallery}", {"title": " New  "})["title"] == "New"
    assert ann.got("GET", f"/v1/galleries/{gallery}")["title"] == "New"
    assert ann.ask("DELETE", f"/v1/galleries/{gallery}").status_code == 204
    assert ann.ask("GET", f"/v1/galleries/{gallery}").status_code == 404
    for title in ("", " ", "x" * 121, 7, "a\x00b"):
        assert ann.ask("POST", "/v1/galleries", {"title": title}).status_code == 422


def test_anothers_gallery_is_as_one_that_is_not_there(ann: Somebody, bob: Somebody) -> None:
    gallery = ann.gallery()
    photo = ann.upload(gallery, "a.jpg", b"pixels")
    paths = [f"/v1/galleries/{gallery}{rest}" for rest in ("", "/photos", f"/photos/{photo}", "/shares")]
    calls = [("GET", path) for path in paths] + [("DELETE", path) for path in (paths[0], paths[2])]
    calls += [("POST", paths[1]), ("POST", paths[3]), ("PATCH", paths[0])]
    for method, path in calls:
        body = {"name": "a.jpg", "title": "mine"} if method in ("POST", "PATCH") else None
        answer = bob.ask(method, path, body)
        assert (answer.status_code, answer.json()) == (404, {"detail": "no such gallery"}), f"{method} {path}"
    assert ann.got("GET", paths[2])["name"] == "a.jpg"


def test_a_link_shows_a_gallery_until_it_expires_or_is_withdrawn(stack: Stack, ann: Somebody) -> None:
    gallery, anybody = ann.gallery("Shown"), Somebody(stack)
    links = [ann.got("POST", f"/v1/galleries/{gallery}/shares", {"days": days}) for days in (1, 7)]
    shown = anybody.got("GET", f"/v1/shared/{links[0]['token']}")
    assert (shown["title"], shown["photos"], shown["expires"]) == ("Shown", [], links[0]["expires"])
    told = ann.got("GET", f"/v1/galleries/{gallery}/shares")["shares"]
    assert {row["share"] for row in told} == {link["share"] for link in links}
    assert links[0]["token"].split(".")[2] not in json.dumps(items(stack), default=str)
    expired(stack, f"GALLERY#{gallery}", f"SHARE#{links[0]['share']}")
    assert anybody.ask("GET", f"/v1/shared/{links[0]['token']}").status_code == 404
    assert ann.ask("DELETE", f"/v1/galleries/{gallery}/shares/{links[1]['share']}").status_code == 204
    assert anybody.ask("GET", f"/v1/shared/{links[1]['token']}").status_code == 404
    assert ann.got("GET", f"/v1/galleries/{gallery}/shares")["shares"] == []


@pytest.mark.parametrize("days", [0, 366, "x", True, 1.5, None])
def test_a_link_lasts_a_day_to_a_year(ann: Somebody, days: object) -> None:
    assert ann.ask("POST", f"/v1/galleries/{ann.gallery()}/shares", {"days": days}).status_code == 422


@pytest.mark.parametrize(
    "made_up", ["x", "..", "{gallery}..", "{gallery}.{share}.", "{gallery}.{share}.{wrong}", "é.é.é"]
)
def test_a_made_up_link_shows_nothing(stack: Stack, ann: Somebody, made_up: str) -> None:
    gallery = ann.gallery()
    share = ann.got("POST", f"/v1/galleries/{gallery}/shares", {})["share"]
    token = made_up.format(gallery=gallery, share=share, wrong="w" * 32)
    assert Somebody(stack).ask("GET", f"/v1/shared/{token}").status_code == 404


# ---- Photos


def test_an_upload_takes_one_file_of_its_size_under_its_key(stack: Stack, ann: Somebody) -> None:
    gallery = ann.gallery()
    made = ann.got("POST", f"/v1/galleries/{gallery}/photos", {"name": "../My Photo (1).CR3"})
    form = made["upload"]
    assert made["key"] == form["fields"]["key"]
    assert made["key"].startswith("uploads/")
    assert made["key"].endswith(f"/{gallery}/{made['photo']}/My-Photo-1-.CR3")
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    assert ["content-length-range", 1, 52_428_800] in policy["conditions"]
    assert {"key": made["key"]} in policy["conditions"]
    assert posted(form, b"").text.count("EntityTooSmall")
    assert posted(form, b"pixels", key="uploads/somebody/else.jpg").status_code == 403
    assert posted(form, b"pixels", acl="public-read").status_code == 403
    policy["conditions"] = [["starts-with", "$key", ""]]
    loose = base64.b64encode(json.dumps(policy).encode()).decode()
    assert posted(form, b"pixels", policy=loose).status_code == 403
    assert posted(form, b"pixels").status_code == 201
    kept = stack.aws.client("s3").get_object(Bucket=BUCKET, Key=made["key"])["Body"].read()
    assert kept == b"pixels"


@pytest.mark.parametrize(
    ("name", "kept", "ending"),
    [
        ("Été à Málaga.jpg", "Été à Málaga.jpg", "/t-M-laga.jpg"),
        ("C:\\Bilder\\日本", "日本", "/photo"),
        ('a"; filename=b.html; c.jpg', 'a"; filename=b.html; c.jpg', "/a-filename-b.html-c.jpg"),
        ("é" * 199 + "x", "é" * 199 + "x", "/x"),
    ],
    ids=["accents", "windows", "header", "long"],
)
def test_a_photo_keeps_its_name_and_its_key_is_plain(
    stack: Stack, ann: Somebody, name: str, kept: str, ending: str
) -> None:
    path = f"/v1/galleries/{ann.gallery()}/photos"
    made = ann.got("POST", path, {"name": name})
    assert made["key"].endswith(ending)
    s3 = stack.aws.client("s3")
    folder = made["key"].replace("uploads/", "renditions/", 1)
    for size in ("thumbnail", "medium", "large"):
        s3.put_object(Bucket=BUCKET, Key=f"{folder}/{size}.jpg", Body=b"pixels")
    photo = ann.got("GET", f"{path}/{made['photo']}")
    assert photo["name"] == kept
    saved = httpx.URL(photo["original"]).params["response-content-disposition"]
    found = re.fullmatch(r"attachment; filename=\"([^\"]*)\"; filename\*=UTF-8''(\S+)", saved)
    assert found, saved
    assert (f"/{found[1]}", unquote(found[2])) == (ending, kept)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"name": "/"}, 422),
        ({"name": "..."}, 422),
        ({"name": "a.jpg", "bytes": 0}, 422),
        ({"name": "a.jpg", "bytes": "many"}, 422),
        ({"name": "a.jpg", "bytes": 52_428_801}, 413),
    ],
)
def test_an_upload_that_can_not_be_is_refused_at_once(ann: Somebody, body: dict[str, Any], status: int) -> None:
    assert ann.ask("POST", f"/v1/galleries/{ann.gallery()}/photos", body).status_code == status


def test_photos_come_in_pages_the_newest_first(ann: Somebody) -> None:
    gallery = ann.gallery()
    path = f"/v1/galleries/{gallery}/photos"
    made = [ann.got("POST", path, {"name": f"{number}.jpg"})["photo"] for number in range(7)]
    seen: list[str] = []
    cursor, pages = "", 0
    while cursor is not None:
        page = ann.got("GET", f"{path}?limit=3{'&cursor=' + cursor if cursor else ''}")
        seen += [row["photo"] for row in page["photos"]]
        cursor, pages = page["cursor"], pages + 1
    assert seen == made[::-1]
    assert pages == 3
    for wrong in ("limit=0", "limit=101", "limit=ten"):
        assert ann.ask("GET", f"{path}?{wrong}").status_code == 422
    other = base64.urlsafe_b64encode(b"SHARE#1").decode()
    for wrong in ("nonsense", other, "%ff"):
        assert ann.ask("GET", f"{path}?cursor={wrong}").status_code == 400


def test_a_photo_is_ready_when_its_renditions_are_there(stack: Stack, ann: Somebody) -> None:
    """The processor's part is done by hand here: what the API says of what lies in the bucket."""
    gallery, s3 = ann.gallery(), stack.aws.client("s3")
    path = f"/v1/galleries/{gallery}/photos"
    ready, refused, waiting = (ann.got("POST", path, {"name": name}) for name in ("a.dng", "b.txt", "c.jpg"))
    folder = ready["key"].replace("uploads/", "renditions/", 1)
    for size in ("thumbnail", "medium"):
        s3.put_object(Bucket=BUCKET, Key=f"{folder}/{size}.jpg", Body=size.encode())
    assert {row["state"] for row in ann.got("GET", path)["photos"]} == {"waiting"}
    s3.put_object(Bucket=BUCKET, Key=f"{folder}/large.jpg", Body=b"large")
    said = json.dumps({"reason": "the file is a text"}).encode()
    s3.put_object(Bucket=BUCKET, Key=refused["key"].replace("uploads/", "renditions/", 1) + "/refused.json", Body=said)
    shown = {row["photo"]: row for row in ann.got("GET", path)["photos"]}
    assert shown[refused["photo"]]["state"] == "refused"
    assert shown[refused["photo"]]["reason"] == "the file is a text"
    assert shown[waiting["photo"]]["state"] == "waiting"
    photo = shown[ready["photo"]]
    assert [httpx.get(photo[size], trust_env=False).content for size in ("thumbnail", "medium", "large")] == [
        b"thumbnail", b"medium", b"large",
    ]  # fmt: skip
    assert "attachment" in photo["original"]
    token = ann.got("POST", f"/v1/galleries/{gallery}/shares", {})["token"]
    public = Somebody(stack).got("GET", f"/v1/shared/{token}")["photos"]
    assert [row["photo"] for row in public] == [ready["photo"]]
    assert {"original"} == photo.keys() - public[0].keys()
    assert ann.ask("DELETE", f"/v1/galleries/{gallery}").status_code == 409
    assert ann.ask("DELETE", f"{path}/{ready['photo']}").status_code == 204
    left = {row["Key"] for row in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())}
    assert not [key for key in left if ready["photo"] in key]
    assert ann.ask("GET", f"{path}/{ready['photo']}").status_code == 404


# ---- Billing


def test_stripes_price(stack: Stack) -> None:
    found = Somebody(stack).got("GET", "/v1/prices/pro")
    assert found == {"lookup_key": "pro", "amount": 900, "currency": "eur"}
    assert Somebody(stack).ask("GET", "/v1/prices/none").status_code == 404


def test_a_checkout_is_paid_once_and_lifts_the_limit(stack: Stack, ann: Somebody, bob: Somebody) -> None:
    key = {"idempotency-key": "k-1"}
    urls = [ann.got("POST", "/v1/billing/checkout", {"lookup_key": "pro"}, **key)["url"] for _ in range(2)]
    assert urls[0] == urls[1]
    assert bob.got("POST", "/v1/billing/checkout", {"lookup_key": "pro"}, **key)["url"] != urls[0]
    assert ann.got("GET", "/v1/account")["plan"] == "free"
    paid = httpx.post(urls[0], trust_env=False)
    assert paid.headers["location"] == f"{stack.page}#paid"
    assert ann.got("GET", "/v1/account")["plan"] == "pro"
    assert bob.got("GET", "/v1/account")["plan"] == "free"
    large = {"name": "a.3fr", "bytes": 150_000_000}
    assert ann.got("POST", f"/v1/galleries/{ann.gallery()}/photos", large)["bytes"] == 200_000_000
    # Who has the plan does not pay for it again
    again = ann.ask("POST", "/v1/billing/checkout", {"lookup_key": "pro"})
    assert (again.status_code, again.json()) == (409, {"detail": "this account has that plan"})


def test_stripes_refusal_is_told_without_its_words(stack: Stack, ann: Somebody) -> None:
    assert ann.ask("POST", "/v1/billing/checkout", {"lookup_key": "none"}).status_code == 404
    assert ann.ask("POST", "/v1/billing/checkout", {}).status_code == 422
    assert Somebody(stack).ask("POST", "/v1/billing/checkout", {"lookup_key": "pro"}).status_code == 401


def test_an_event_takes_its_effect_once_and_never_over_a_newer_one(stack: Stack, ann: Somebody) -> None:
    user = next(item["user"] for item in items(stack) if (item["pk"], item["sk"]) == (f"EMAIL#{ann.email}", "LOGIN"))
    about = {"object": "subscription", "metadata": {"user": user}, "status": "active"}
    bought = stack.stripe.event("customer.subscription.updated", about, created=1_000)
    ended = stack.stripe.event("customer.subscription.deleted", {**about, "status": "canceled"}, created=2_000)
    assert stack.stripe.send(bought) == (200, {"taken": True})
    assert stack.stripe.send(bought) == (200, {"taken": False})
    assert ann.got("GET", "/v1/account")["plan"] == "pro"
    assert stack.stripe.send(ended) == (200, {"taken": True})
    # Sent late, or again under another name
    assert stack.stripe.send({**bought, "id": "evt_late"}) == (200, {"taken": False})
    assert ann.got("GET", "/v1/account")["plan"] == "free"
    assert (
        len([item for item in items(stack) if item["pk"] in (f"STRIPE#{bought['id']}", f"STRIPE#{ended['id']}")]) == 2
    )


def test_an_event_that_comes_several_times_at_once_is_taken_once(stack: Stack, ann: Somebody) -> None:
    user = next(item["user"] for item in items(stack) if (item["pk"], item["sk"]) == (f"EMAIL#{ann.email}", "LOGIN"))
    about = {"object": "checkout.session", "client_reference_id": user, "payment_status": "paid"}
    event = stack.stripe.event("checkout.session.completed", about)
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(stack.stripe.send, [event] * 4))
    assert sum(tree.get("taken", False) for _, tree in told) == 1
    assert {status for status, _ in told} <= {200, 503}


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("invoice.paid", {"object": "invoice"}),
        ("checkout.session.completed", {"object": "checkout.session", "client_reference_id": None}),
        ("checkout.session.completed", {"object": "checkout.session", "client_reference_id": "nobody"}),
        ("checkout.session.completed", {"client_reference_id": "nobody", "payment_status": "unpaid"}),
        ("customer.subscription.updated", {"object": "subscription", "metadata": {}}),
    ],
)
def test_an_event_of_no_account_is_thanked_for(stack: Stack, kind: str, about: dict[str, Any]) -> None:
    assert stack.stripe.send(stack.stripe.event(kind, about)) == (200, {"taken": False})


def test_an_event_that_is_not_stripes_is_refused(stack: Stack) -> None:
    event = stack.stripe.event("invoice.paid", {"object": "invoice"})
    assert stack.stripe.send(event, secret="whsec_other")[0] == 400
    assert stack.stripe.send(event, at=event["created"] - 3_600)[0] == 400
    client = Somebody(stack)
    for signature in ("", "nonsense", "t=1,v1=00", "t=x,v1="):
        assert client.ask("POST", "/v1/billing/webhook", event, **{"stripe-signature": signature}).status_code == 400
    assert client.ask("POST", "/v1/billing/webhook", b"\xff", **{"stripe-signature": "t=1,v1=00"}).status_code == 400


# ---- The zip


def test_what_is_signed_is_for_the_buckets_own_region(built: Path, tmp_path: Path) -> None:
    """S3's global address answers for a new bucket by a 307, with which a browser's upload fails."""
    with cleared(tmp_path) as folder:
        api = Lambda.unpack(sandbox_of("3.12"), folder, built / "dist/lambda/galerly-api.zip")
        form, link = api.run(
            "from galerly.api import bucket\n"
            "answer = [bucket.form('uploads/a', 9)['url'], bucket.link('uploads/a')]",
            GALERLY_BUCKET="photos", AWS_REGION="eu-central-1",
        )  # fmt: skip
    assert form == "https://photos.s3.eu-central-1.amazonaws.com/"
    assert link.startswith("https://photos.s3.eu-central-1.amazonaws.com/uploads/a?")


def test_what_a_plan_takes_the_processor_takes(built: Path, tmp_path: Path) -> None:
    with cleared(tmp_path) as folder:
        asked = (
            ("galerly-api", "from galerly.api.settings import settings\nanswer = settings().pro_bytes"),
            ("image-processor", "from galerly.images.limits import LIMITS\nanswer = LIMITS.bytes"),
        )
        pro, most = (
            Lambda.unpack(sandbox_of("3.12"), folder, built / f"dist/lambda/{name}.zip").run(code)
            for name, code in asked
        )
    assert pro <= most


def test_the_api_is_what_was_built(built: Path, stack: Stack) -> None:
    """Every answer above came out of the zip: the log of start-api has its starts, and nobody failed on the way."""
    log = stack.log("start-api")
    assert "is isolated by" in log
    assert "Traceback" not in log
    assert (built / "dist/lambda/galerly-api.zip").stat().st_size < 30_000_000
