"""Tells a thread that what it waits for has gone out: set where requests are sent, watched where pages are fetched."""

from __future__ import annotations

import contextvars
import threading

__all__ = ["gone_out"]

gone_out: contextvars.ContextVar[threading.Event | None] = contextvars.ContextVar("mlconnector.gone_out", default=None)
"""Set with the first request that the current context sends."""
