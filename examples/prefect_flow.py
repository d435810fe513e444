"""Prefect: a flow that may be retried."""

from __future__ import annotations

from job import run
from prefect import flow


@flow(name="jde-to-cleo", retries=2, retry_delay_seconds=300)
def jde_to_cleo() -> dict[str, dict[str, int]]:
    """Orders and vouchers to their partners."""
    return run()


if __name__ == "__main__":
    jde_to_cleo.serve(cron="*/15 * * * *")
