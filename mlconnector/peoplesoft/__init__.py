"""Oracle PeopleSoft (FSCM) through Integration Broker: queries over REST, component interfaces over SOAP, messages."""

from __future__ import annotations

from mlconnector.peoplesoft._client import PeopleSoft
from mlconnector.peoplesoft._component import ComponentInterface
from mlconnector.peoplesoft._voucher import VoucherMessage

__all__ = ["ComponentInterface", "PeopleSoft", "VoucherMessage"]
