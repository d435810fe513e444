"""Spark: the general ledger of JD Edwards as a table, eight ranges of documents on two sessions.

The credentials are saved once under a name, on every worker: the environment, the keyring or the encrypted file.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from mlconnector import spark as mlspark


def ledger(session: SparkSession, url: str, *, first: int, last: int) -> DataFrame:
    """Lines of the ledger AA; amounts are exact decimals."""
    mlspark.register(session)
    reader = session.read.format("mlconnector").option("system", "jdedwards").option("url", url)
    reader = reader.option("credentials", "acme-jde").option("table", "F0911").option("where", '[["LT", "=", "AA"]]')
    reader = reader.option("partition_column", "DOC").option("lower", first).option("upper", last)
    reader = reader.option("partitions", 8).option("sessions", 2)
    return reader.schema("KCO string, DCT string, DOC decimal(18,0), DGJ date, AID string, AA decimal(36,12)").load()


if __name__ == "__main__":
    spark = SparkSession.builder.getOrCreate()
    lines = ledger(spark, "https://ais.example:9302", first=1, last=2_000_000)
    lines.filter("DGJ >= date'2026-01-01'").groupBy("AID").sum("AA").show()
