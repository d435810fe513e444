"""Public files, as in test_corpus: every set goes through its reader, to a document that has all of it, or a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest

from mlconnector import x12
from mlconnector.documents import Document, from_json, to_json
from mlconnector.errors import InvalidDocument
from mlconnector.x12._dictionary import dictionary
from mlconnector.x12._format import decimal_of
from tests.x12._orders import partner
from tests.x12.test_corpus import FOLDER, rows

READERS = {
    code: getattr(x12, f"from_{code.lower()}")
    for code in ("810", "820", "850", "855", "856", "860", "865", "997", "999", "TA1")
}
REASONS = {
    "820_02_X12Parser_Example3_HomeDepot.edi": "RMR04 'NET AMOUNT PAID' is no number",
    "850_11_EDI.Net_x12.810.mandatory-conditions.edi": "BEG is missing",
    "850_16_EDI.Net_x12.Issue172.edi": "BEG is missing",
    "856_02_X12Parser_Example2.edi": "BSN02 is mandatory and missing",
    "997_02_staedi_empty997.edi": "AK1 is missing",
    "999_02_staedi_invalid999.edi": "IK501 'Q' is no verdict",
}
FREE = ("AN", "R", "DT", "TM", "N0", "N2")
DERIVED = ("HL", "CTT")


def sets(name: str) -> list[x12.TransactionSet]:
    items = x12.read((FOLDER / name).read_bytes(), broken="yield")
    return [item for item in items if isinstance(item, x12.TransactionSet)]


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield str(value)


def number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def lost(ts: x12.TransactionSet, document: Document) -> list[str]:
    """Free values of the set that stand nowhere in the document."""
    text = to_json(document)
    found = set(leaves(json.loads(text)))
    numbers = {value if value is None else abs(value) for value in map(number, found)}
    tables = dictionary("005010" if ts.code == "999" else "004010")
    told = []
    for segment in ts.segments:
        spec = tables.segments.get(segment.id)
        for index, sent in enumerate(segment.elements if segment.id not in DERIVED else (), 1):
            value = sent.replace(x12.REPETITION, ts.interchange.repetition)
            value = value.replace(x12.COMPONENT, ts.interchange.component)
            kind = spec.elements[index - 1].type if spec and index <= len(spec.elements) else "AN"
            plain = json.dumps(value.strip(), ensure_ascii=False)[1:-1]
            day = f"{value[:-4]}-{value[-4:-2]}-{value[-2:]}"
            stands = plain in text or day in text or (value.isdigit() and value.lstrip("0") in text)
            amount = decimal_of(kind if kind in ("N0", "N2") else "R", value.strip())
            if kind in FREE and not stands and (amount is None or abs(amount) not in numbers):
                told.append(f"{segment.id}{index:02} {value}")
    return told


@pytest.mark.parametrize("name", [row["file"] for row in rows()])
def test_a_public_file_becomes_documents_or_a_reason(name):
    for ts in sets(name):
        reader = READERS[ts.code]
        if name in REASONS:
            with pytest.raises(InvalidDocument) as caught:
                reader(ts)
            assert REASONS[name] in "; ".join(caught.value.faults)
            continue
        document = reader(ts)
        assert lost(ts, document) == []
        assert from_json(to_json(document)) == document
        assert not x12.diff(ts, ts)
        assert reader(ts, partner=partner()) == document
