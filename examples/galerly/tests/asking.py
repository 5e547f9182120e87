"""A client of Galerly's API, as tests and pages are: over HTTP, with a session of its own."""

from __future__ import annotations

import json
import secrets
from typing import Any

import httpx
from examples.galerly.local.stack import Stack

PASSWORD = "correct horse battery"


class Somebody:
    """Calls the API at `url`; after `sign_up` as somebody of its own."""

    def __init__(self, stack: Stack) -> None:
        self.client = httpx.Client(base_url=stack.api, timeout=60, trust_env=False)
        self.email = f"{secrets.token_hex(4)}@mail.example"

    def sign_up(self) -> Somebody:
        answer = self.ask("POST", "/v1/sign-up", {"email": self.email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        self.client.headers["authorization"] = f"Bearer {answer.json()['token']}"
        return self

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.request(method, path, content=content, headers=headers)

    def got(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """The JSON of an answer that must be a good one."""
        answer = self.ask(method, path, body, **headers)
        assert answer.is_success, f"{answer.status_code}: {answer.text}"
        return answer.json() if answer.content else None

    def gallery(self, title: str = "Summer") -> str:
        return str(self.got("POST", "/v1/galleries", {"title": title})["gallery"])

    def upload(self, gallery: str, name: str, data: bytes) -> str:
        """The photo, whose file S3 has."""
        made = self.got("POST", f"/v1/galleries/{gallery}/photos", {"name": name, "bytes": len(data)})
        answer = posted(made["upload"], data)
        assert answer.status_code == 201, answer.text
        return str(made["photo"])


def posted(form: dict[str, Any], data: bytes, **changed: str) -> httpx.Response:
    """The form, sent as a browser does, with some fields changed."""
    fields = {**form["fields"], **changed}
    with httpx.Client(timeout=60, trust_env=False) as client:
        return client.post(form["url"], data=fields, files={"file": ("file", data)})
