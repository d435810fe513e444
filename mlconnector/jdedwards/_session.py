"""The AIS session: a token by login, bound to a device name, given back at logout (AIS reference, section 2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import ClassVar

from mlconnector.auth import Secrets, Token, TokenSession
from mlconnector.credentials import Secret
from mlconnector.errors import ConnectionFailed, InvalidArgument, MLConnectorError, PermissionDenied, VendorFault
from mlconnector.http import Request, Response, Send

__all__ = ["AISSession"]

_DETAILS = ("simpleDateFormat", "decimalFormat", "timeZoneOffset", "dateFormat", "dateSeperator", "appsRelease")


class AISSession(TokenSession):
    """Logs in at AIS and logs out again; one session for all threads.

    Args:
        username, password: The E1 user.
        device: Device name; without one a token would be bound to this machine's address (section 2.2).
        environment, role: As on the login form; ``None`` takes the server's defaults.
        age: Replace a token older than this before it is used. The server's lifetime is a site setting that no
            answer tells (section 2.3); ``None`` relies on its rejection.

    Raises:
        InvalidArgument: An option that cannot be meant.
    """

    refused_statuses: ClassVar[frozenset[int]] = frozenset({400, 401, 403})

    def __init__(
        self,
        username: str | Secret,
        password: str | Secret,
        *,
        device: str = "mlconnector",
        environment: str | None = None,
        role: str | None = None,
        age: dt.timedelta | None = None,
    ) -> None:
        super().__init__({"username": username, "password": password}, age=age)
        if not device.strip():
            raise InvalidArgument(f"device={device!r} is no device name.", cure="Give a fixed name.")
        self._device = device
        self._environment = environment
        self._role = role

    @property
    def asked_environment(self) -> str | None:
        """The environment named at construction; part of what a ledger is bound to."""
        return self._environment

    def use_age(self, age: dt.timedelta) -> None:
        """Replace tokens older than this; for a client whose user said ``session_age``."""
        self._age = age

    @property
    def environment(self) -> str | None:
        """The environment asked for, or the one the server chose."""
        return self._environment or self.details.get("environment")

    def _login(self, send: Send, secrets: Secrets) -> Token:
        body = {name: secret.reveal() for name, secret in secrets.items()}
        body["deviceName"] = self._device
        body |= {} if self._environment is None else {"environment": self._environment}
        body |= {} if self._role is None else {"role": self._role}
        response = send(Request("POST", "/jderest/v2/tokenrequest", json=body, authenticated=False))
        if response.status == 405:
            raise PermissionDenied(
                "jdedwards: the JAS server does not accept requests from this AIS server (405).",
                cure="The CNC administrator adds the AIS server to Allowed Hosts of the HTML (JAS) server.",
                status=405,
                system="jdedwards",
            )
        answer = self.accept(response, system="jdedwards").json()
        return self._token_of(answer, response)

    def _token_of(self, answer: object, response: Response) -> Token:
        info = answer.get("userInfo") if isinstance(answer, Mapping) else None
        token = info.get("token") if isinstance(info, Mapping) else None
        if not isinstance(answer, Mapping) or not isinstance(info, Mapping) or not isinstance(token, str):
            raise VendorFault(
                f"{response.method} {response.path} answered {response.status} without userInfo.token.",
                cure="Check that the address is an AIS server's.",
                status=response.status,
                system="jdedwards",
                repeat_safe=True,
            )
        details = {name: info[name] for name in _DETAILS if info.get(name)}
        details |= {name: answer[name] for name in ("environment", "role") if answer.get(name)}
        return Token(headers={"jde-AIS-Auth": token, "jde-AIS-Auth-Device": self._device}, details=details)

    def _logout(self, send: Send, token: Token) -> None:
        body = {"token": token.headers["jde-AIS-Auth"], "deviceName": self._device}
        request = Request("POST", "/jderest/v2/tokenrequest/logout", json=body, headers=dict(token.headers))
        for _ in range(2):
            try:
                send(request)
            except ConnectionFailed as error:
                if error.repeat_safe:
                    return
                # The server may have closed the idle connection; a token that is gone by now is answered with 444.
                continue
            except MLConnectorError:
                # The server ends the session by itself; a run must not fail because it could not say goodbye.
                pass
            return
