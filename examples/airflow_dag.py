"""Airflow: one task. A retry is safe, because the ledger remembers; keep it on a disk that every worker sees."""

from __future__ import annotations

import datetime as dt

from airflow.sdk import dag, task
from job import run


@dag(schedule="*/15 * * * *", start_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), catchup=False, max_active_runs=1)
def jde_to_cleo():
    """Orders and vouchers to their partners."""

    @task(retries=2, retry_delay=dt.timedelta(minutes=5))
    def sync() -> dict[str, dict[str, int]]:
        return run()

    sync()


jde_to_cleo()
