"""Answers that every service of the simulated AIS server shares: error bodies, web server pages."""

from __future__ import annotations

from typing import Any

from mlconnector.testing._wire import Answer, json_answer

__all__ = ["error_answer", "html_page"]


def error_answer(status: int, message: str, time_stamp: str, **more: Any) -> Answer:
    """The error body of section 2.4; ``more`` are further members of it."""
    body = {
        "message": message,
        "exception": "com.oracle.e1.rest.SimulatedException",
        "timeStamp": time_stamp,
        "status": "ERROR",
        **more,
    }
    return json_answer(body, status=status)


def html_page(status: int) -> Answer:
    """What the web server in front shows."""
    page = f"<html><head><title>Error {status}</title></head><body>Error {status}</body></html>"
    return Answer(status=status, body=page.encode(), content_type="text/html; charset=UTF-8")
