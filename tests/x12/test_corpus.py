"""Public X12 files, outside of this repository; where they are not, there is nothing to read."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from mlconnector import x12
from mlconnector.errors import X12Error

FOLDER = Path(os.environ.get("MLCONNECTOR_X12_SAMPLES") or Path(__file__).parents[3] / "shared" / "samples" / "x12")
REASONS = {
    "GE02!=GS06": "AK905:4",
    "SE02!=ST02": "AK502:3",
    "IEA02!=ISA13": "TA105:001",
    "IEA01=1 actual 0": "TA105:021",
}


def rows() -> list[dict[str, str]]:
    index = FOLDER / "INDEX.tsv"
    return list(csv.DictReader(index.read_text("utf-8").splitlines(), delimiter="\t")) if index.exists() else []


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_a_public_file_is_read_or_told_for_the_right_reason(row):
    raw = (FOLDER / row["file"]).read_bytes()
    items = list(x12.read(raw, broken="yield"))
    sets = [item for item in items if isinstance(item, x12.TransactionSet)]
    told = [
        finding
        for item in items
        for finding in (*item.findings, *(item.interchange.findings if item.interchange else ()))
    ]
    assert {ts.code for ts in sets} <= set(row["set"].split("+"))
    if row["envelope"] == "envelope OK":
        assert [finding for finding in told if finding.severity != "note"] == []
        assert list(x12.read(raw)) == sets
        assert sets
        return
    codes = {finding.code for finding in told}
    expected = [code for reason, code in REASONS.items() if reason in row["envelope"]]
    assert codes >= set(expected)
    if "SE01=" in row["envelope"]:
        assert "AK502:4" in codes
    if "ISA08" in row["envelope"] and not expected:
        assert "TA105:008" in codes
    if expected:
        with pytest.raises(X12Error):
            list(x12.read(raw))
    for ts in sets:
        assert str(ts)
    x12.validate(raw)
