"""As much of Stripe as Galerly asks: prices, a checkout that is paid by a click, and the signed events that follow.

with Stripe(secret="whsec_…") as stripe:
    stripe.tell = "http://127.0.0.1:3000/v1/billing/webhook"
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_galerly"
PRICES = {"pro": {"id": "price_pro", "object": "price", "lookup_key": "pro", "unit_amount": 900, "currency": "eur"}}
PAYING = b"<meta name=viewport content=width=device-width><form method=post><button>Pay 9.00 EUR</button></form>"


class Stripe:
    """`url` is its API; `tell` is where events go; `asked` are the requests that came."""

    def __init__(self, secret: str) -> None:
        self.secret, self.tell = secret, ""
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.sessions: dict[str, dict[str, Any]] = {}
        self._repeated: dict[str, dict[str, Any]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Stripe:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def event(self, kind: str, about: dict[str, Any], **more: Any) -> dict[str, Any]:
        """An event as Stripe makes it."""
        return {
            "id": f"evt_{uuid.uuid4().hex}",
            "object": "event",
            "type": kind,
            "created": int(time.time()),
            "data": {"object": about},
            **more,
        }

    def send(self, event: dict[str, Any], *, at: int = 0, secret: str = "") -> tuple[int, Any]:
        """The event, signed, to `tell`; what was answered.  `at` is when it was signed."""
        body = json.dumps(event).encode()
        signed = at or int(time.time())
        mac = hmac.new((secret or self.secret).encode(), f"{signed}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "Stripe-Signature": f"t={signed},v1={mac}"}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.tell, body, headers), timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def answer(self, method: str, path: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, Any]:
        self.asked.append((method, path, form))
        if headers.get("authorization") != f"Bearer {KEY}":
            return 401, _error("Invalid API Key provided")
        match method, path:
            case "GET", "/v1/prices":
                found = [PRICES[key] for name, key in form.items() if name.startswith("lookup_keys") and key in PRICES]
                return 200, {"object": "list", "url": "/v1/prices", "has_more": False, "data": found}
            case "POST", "/v1/checkout/sessions":
                return self._checkout(form, headers.get("idempotency-key", ""))
        return 404, _error(f"Unrecognized request URL ({method}: {path})")

    def pay(self, session: str) -> str:
        """What the buyer's click does; where the buyer's browser goes next."""
        about = self.sessions[session]
        about |= {"payment_status": "paid", "status": "complete"}
        self.send(self.event("checkout.session.completed", about))
        return str(about["success_url"])

    def _checkout(self, form: dict[str, str], key: str) -> tuple[int, Any]:
        # Stripe's client makes a key of its own where the caller has none
        if key in self._repeated:
            return 200, self._repeated[key]
        if form.get("line_items[0][price]") not in {price["id"] for price in PRICES.values()}:
            return 400, _error("No such price")
        name = f"cs_test_{uuid.uuid4().hex}"
        self.sessions[name] = self._repeated[key] = {
            "id": name,
            "object": "checkout.session",
            "url": f"{self.url}/pay/{name}",
            "payment_status": "unpaid",
            "client_reference_id": form.get("client_reference_id"),
            "success_url": form.get("success_url"),
        }
        return 200, self.sessions[name]


def _error(message: str) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "message": message}}


def _handler(stripe: Stripe) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path)[2:4]
            if path.startswith("/pay/") and path.removeprefix("/pay/") in stripe.sessions:
                page = b"<!doctype html><title>Checkout</title><link rel=icon href=data:,>" + PAYING
                return self._send(200, page, {"Content-Type": "text/html"})
            return self._answer("GET", path, query)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            path = urlsplit(self.path).path
            if path.startswith("/pay/") and path.removeprefix("/pay/") in stripe.sessions:
                return self._send(303, b"", {"Location": stripe.pay(path.removeprefix("/pay/"))})
            return self._answer("POST", path, body)

        def _answer(self, method: str, path: str, form: str) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, tree = stripe.answer(method, path, dict(parse_qsl(form)), headers)
            self._send(status, json.dumps(tree).encode(), {"Content-Type": "application/json"})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    return Handler
