"""The login: user and password for a token that lives 30 minutes."""

from __future__ import annotations

from collections.abc import Mapping

from mlconnector.kit import Request, Secret, Send, Token, TokenSession


class LedgerboxSession(TokenSession):
    """Logs in at ``/api/login``; the token goes in ``X-Ledgerbox-Token``."""

    def __init__(self, username: str, password: str | Secret) -> None:
        super().__init__({"username": username, "password": password})

    def _login(self, send: Send, secrets: Mapping[str, Secret]) -> Token:
        body = {name: secret.reveal() for name, secret in secrets.items()}
        response = send(Request("POST", "/api/login", json=body))
        answer = self.accept(response, system="ledgerbox").json()
        headers = {"X-Ledgerbox-Token": answer["token"]}
        return Token(headers=headers, expires_in=float(answer["expires_in"]))

    def _logout(self, send: Send, token: Token) -> None:
        send(Request("POST", "/api/logout", headers=token.headers))
