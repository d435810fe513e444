"""Spark: tables and documents of the sources as DataFrames and streams (extra ``spark``, PySpark 4).

::

    from mlconnector import spark as mlspark

    mlspark.register(session)
    ledger = (
        session.read.format("mlconnector")
        .option("system", "jdedwards").option("url", "https://ais.example:9302").option("credentials", "acme-jde")
        .option("table", "F0911").schema("DOC decimal(18,0), DGJ date, LT string, AA decimal(36,12)")
        .option("partition_column", "DOC").option("lower", "1").option("upper", "2000000")
        .option("partitions", "8").option("sessions", "2")
        .load()
    )

Credentials are named, see :func:`mlconnector.stored`: the plan holds the name alone, and each session looks the secret
up where it runs. All options stand in :class:`~mlconnector.spark.Settings`.
"""

from __future__ import annotations

from mlconnector.spark._settings import Settings
from mlconnector.spark._source import register

__all__ = ["Settings", "register"]
