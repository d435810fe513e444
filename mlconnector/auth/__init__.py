"""Who is calling: the protocol of token managers, the vendor-neutral ones, and the base for vendors' own sessions."""

from __future__ import annotations

from mlconnector.auth._managers import HTTPBasic, OAuth2ClientCredentials, OAuth2Password
from mlconnector.auth._session import Secrets, Token, TokenSession
from mlconnector.http import Send, TokenManager

__all__ = [
    "HTTPBasic",
    "OAuth2ClientCredentials",
    "OAuth2Password",
    "Secrets",
    "Send",
    "Token",
    "TokenManager",
    "TokenSession",
]
