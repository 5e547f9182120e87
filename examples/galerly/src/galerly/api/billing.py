"""Plans: Stripe's prices, its checkout, and the webhook by which it says what was paid."""

from __future__ import annotations

import hashlib
import logging
from functools import cache
from typing import Any

import stripe

from galerly.api import table
from galerly.api.http import Answer, RefusedError, Request, Routes
from galerly.api.settings import settings

routes = Routes()
log = logging.getLogger("galerly")

KEPT = 40 * 86_400  # seconds; Stripe sends an event again for three days, and by hand for thirty
_ACTIVE = ("active", "trialing", "past_due")  # past_due: Stripe still tries to collect


@routes("GET", "/v1/account")
def account(request: Request) -> Answer:
    item = table.get(f"USER#{request.user}", "ACCOUNT")
    if item is None:
        raise RefusedError(404, "there is no such account any more")
    return Answer(200, {"email": item["email"], "plan": item["plan"]})


@routes("GET", "/v1/prices/{lookup_key}", anybody=True)
def price(request: Request) -> Answer:
    """What a plan costs, in the currency's smallest unit."""
    found = _price(request.names["lookup_key"])
    return Answer(200, {"lookup_key": found.lookup_key, "amount": found.unit_amount, "currency": found.currency})


@routes("POST", "/v1/billing/checkout")
def checkout(request: Request) -> Answer:
    """Stripe's page for paying.  With the header Idempotency-Key, the same one for the same key."""
    if not settings().page:
        raise RefusedError(503, "GALERLY_PAGE is not set")
    lookup_key = request.text("lookup_key", 200)
    if lookup_key == (table.get(f"USER#{request.user}", "ACCOUNT") or {}).get("plan"):
        raise RefusedError(409, "this account has that plan")  # and would pay for it twice
    found = _price(lookup_key)
    parameters: Any = {
        "mode": "subscription",
        "line_items": [{"price": found.id, "quantity": 1}],
        "client_reference_id": request.user,
        # The subscription's own events name the user, too
        "subscription_data": {"metadata": {"user": request.user}},
        "success_url": f"{settings().page}#paid",
        "cancel_url": f"{settings().page}#unpaid",
    }
    options: Any = {}
    if given := request.headers.get("idempotency-key"):
        # Another user's key must not lead to that user's session
        options["idempotency_key"] = hashlib.sha256(f"{request.user}\n{given}".encode()).hexdigest()
    session = _stripe().v1.checkout.sessions.create(params=parameters, options=options)
    return Answer(201, {"url": session.url})


@routes("POST", "/v1/billing/webhook", anybody=True)
def webhook(request: Request) -> Answer:
    """Stripe's events, each of which takes its effect once, and an older one never over a newer one."""
    if not settings().stripe_webhook_secret:
        raise RefusedError(503, "STRIPE_WEBHOOK_SECRET is not set")
    signature = request.headers.get("stripe-signature", "")
    try:
        event: Any = stripe.Webhook.construct_event(request.body, signature, settings().stripe_webhook_secret)
    except stripe.SignatureVerificationError:
        raise RefusedError(400, "the signature is wrong, or too old") from None
    except ValueError:
        raise RefusedError(400, "the body is not JSON") from None
    meant = _meant(event)
    if meant is None:
        return Answer(200, {"taken": False})
    taken = _take(event, *meant)
    log.info("stripe: %s %s %s", event.id, event.type, "taken" if taken else "known or overtaken")
    return Answer(200, {"taken": taken})


def _meant(event: Any) -> tuple[str, str] | None:
    """Whom an event is about, and which plan they have by it."""
    told = event.data.object.to_dict()
    match event.type:
        case "checkout.session.completed" if told.get("client_reference_id"):
            return (told["client_reference_id"], "pro") if told.get("payment_status") != "unpaid" else None
        case "customer.subscription.updated" | "customer.subscription.deleted" if (told.get("metadata") or {}).get(
            "user"
        ):
            return told["metadata"]["user"], "pro" if told.get("status") in _ACTIVE else "free"
    return None


def _take(event: Any, user: str, plan: str) -> bool:
    """Note the event and change the plan, both or neither."""
    note = {"pk": f"STRIPE#{event.id}", "sk": "EVENT", "expires": table.now() + KEPT}
    noting = {"Put": {"Item": note, "ConditionExpression": "attribute_not_exists(pk)"}}
    changing = {
        "Update": {
            "Key": {"pk": f"USER#{user}", "sk": "ACCOUNT"},
            "UpdateExpression": "SET #plan = :plan, billed = :at",
            # Stripe gives no order: "updated" may come behind the "deleted" that followed it
            "ConditionExpression": "attribute_exists(pk) AND (attribute_not_exists(billed) OR billed <= :at)",
            "ExpressionAttributeNames": {"#plan": "plan"},
            "ExpressionAttributeValues": {":plan": plan, ":at": event.created},
        }
    }
    refused = table.together(noting, changing)
    if any(code not in ("None", "ConditionalCheckFailed") for code in refused):
        # Somebody else is at the same items: Stripe sends it again
        raise RefusedError(503, "busy; send it again")
    return not refused


def _price(lookup_key: str) -> Any:
    found = _stripe().v1.prices.list(params={"lookup_keys": [lookup_key], "active": True, "limit": 1}).data
    if not found:
        raise RefusedError(404, f"no price {lookup_key}")
    return found[0]


@cache
def _stripe() -> stripe.StripeClient:
    if not settings().stripe_api_key:
        raise RefusedError(503, "STRIPE_API_KEY is not set")
    return stripe.StripeClient(
        settings().stripe_api_key, base_addresses={"api": settings().stripe_api_base}, max_network_retries=2
    )
