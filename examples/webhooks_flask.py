"""Flask: Coupa's events below /hooks, stored before they are answered. ``flow`` gets the same inbox name."""

from __future__ import annotations

import os

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import mlconnector as mc
from mlconnector import webhooks


def create_app(ledger: mc.Ledger, secret: str) -> Flask:
    """The application, with the receiver mounted."""
    app = Flask(__name__)
    verifier = webhooks.CoupaVerifier(secret, header="X-Coupa-Signature")
    receiver = webhooks.wsgi_app({"/coupa": verifier}, ledger=ledger)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/hooks": receiver})

    @app.get("/health")
    def health() -> str:
        return "ok"

    return app


if __name__ == "__main__":
    create_app(mc.Ledger(os.environ["ACME_LEDGER"], actor="webhooks"), os.environ["ACME_COUPA_SECRET"]).run()
