"""Ledgerbox, a made-up bookkeeping service: invoices in and out. A seventh vendor, outside the library."""

from __future__ import annotations

from ledgerbox._client import Ledgerbox
from ledgerbox._session import LedgerboxSession
from mlconnector.kit import register_kind

register_kind("LedgerboxSession", "ledgerbox", ["username", "password"])

__all__ = ["Ledgerbox", "LedgerboxSession"]
