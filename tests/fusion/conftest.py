from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from mlconnector.auth import OAuth2ClientCredentials
from mlconnector.fusion import OracleFusion
from mlconnector.http import Retry
from mlconnector.testing import ManualClock
from tests.fusion.pod import START, Pod, TokenHost

QUICK = Retry(attempts=3, base=0.01, jitter=lambda longest: longest)


@attrs.define
class Site:
    """A pod, its token host, and a client of both."""

    pod: Pod
    tokens: TokenHost
    clock: ManualClock
    fusion: OracleFusion
    clients: list[OracleFusion] = attrs.Factory(list)

    def auth(self, scope: str | None = "urn:opc:resource:consumer::all") -> OAuth2ClientCredentials:
        return OAuth2ClientCredentials("id", "secret", token_url=f"{self.tokens.url}/oauth2/v1/token", scope=scope)

    def client(self, **options: Any) -> OracleFusion:
        options = {"auth": self.auth(), "clock": self.clock, "retry": QUICK, **options}
        client = OracleFusion(self.pod.url + "/fscmRestApi/", **options)
        self.clients.append(client)
        return client

    def calls(self) -> int:
        """Calls at the pod since the last time this was asked."""
        count = len(self.pod.calls)
        self.pod.forget_calls()
        return count

    def queries(self) -> list[dict[str, str]]:
        return [dict(call.query) for call in self.pod.calls]


@pytest.fixture
def site() -> Iterator[Site]:
    clock = ManualClock(START)
    with Pod(clock=clock) as pod, TokenHost(clock=clock) as tokens:
        found = Site(pod, tokens, clock, None)  # type: ignore[arg-type]
        found.fusion = found.client()
        yield found
        for client in found.clients:
            client.close()
