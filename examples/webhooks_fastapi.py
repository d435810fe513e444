"""FastAPI: Coupa's events, stored before they are answered. Storing blocks on the disk, so it gets a thread."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

import mlconnector as mc
from mlconnector import webhooks

_MOST_BYTES = 1_000_000


def create_app(ledger: mc.Ledger, secret: str) -> FastAPI:
    """The application. The signature covers the raw body, so no model reads it first."""
    app = FastAPI()
    verifier = webhooks.CoupaVerifier(secret, header="X-Coupa-Signature")

    def store(headers: dict[str, str], body: bytes) -> int:
        try:
            webhooks.receive(verifier, headers, body, ledger=ledger, inbox="coupa")
        except mc.WebhookRejected as refused:
            return refused.status or 400
        except mc.LedgerError:
            return 503
        return 200

    async def coupa(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _MOST_BYTES:
                return Response(status_code=413)
        return Response(status_code=await run_in_threadpool(store, dict(request.headers), body))

    app.add_api_route("/hooks/coupa", coupa, methods=["POST"])
    return app
