"""Dagster: an asset whose metadata are the counts of the run."""

from __future__ import annotations

import dagster
from job import run


@dagster.asset(retry_policy=dagster.RetryPolicy(max_retries=2, delay=300))
def delivered_documents() -> dagster.MaterializeResult:
    """Orders and vouchers at their partners."""
    counts = run()
    return dagster.MaterializeResult(metadata={f"{kind} delivered": one["delivered"] for kind, one in counts.items()})


every_quarter_hour = dagster.ScheduleDefinition(
    name="every_quarter_hour",
    job=dagster.define_asset_job("jde_to_cleo", selection=[delivered_documents]),
    cron_schedule="*/15 * * * *",
)
definitions = dagster.Definitions(assets=[delivered_documents], schedules=[every_quarter_hour])
