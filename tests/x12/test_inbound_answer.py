from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mlconnector import x12
from mlconnector.documents import AcknowledgedLine
from tests.x12._inbound import received, refused
from tests.x12._orders import partner

ANSWER = """
BAK*00*AC*45001*20260301****SO-9*20260303
CUR*SE*USD
PO1*1*100*EA*2.5*PE*BP*B-100
ACK*IA*60*EA*067*20260401
ACK*IB*40**068*20260501
PO1*2*5*EA*3**VP*V-9
ACK*IS*5*EA****VP*V-10
DTM*067*20260402
PO1*3*7*EA*4
DTM*068*20260403
CTT*3*112
"""


def test_an_answer_line_by_line():
    found = x12.from_855(received("855", ANSWER))
    assert (found.number, found.order_number, found.verdict, found.currency) == ("SO-9", "45001", "AC", "USD")
    assert found.date == dt.date(2026, 3, 3)
    assert dict(found.extras) == {"BAK04": "20260301", "CUR01": "SE"}
    accepted, later, substitute, silent = found.lines
    assert accepted == AcknowledgedLine(
        line="1",
        status="IA",
        quantity=Decimal(60),
        unit="EA",
        date=dt.date(2026, 4, 1),
        price=Decimal("2.5"),
        item_ids={"buyer": "B-100"},
        extras={"PO102": "100"},
    )
    assert (later.line, later.status, later.quantity, later.unit) == ("1", "IB", 40, "EA")
    assert (later.date, dict(later.extras)) == (dt.date(2026, 5, 1), {"ACK04": "068"})
    assert (substitute.date, dict(substitute.item_ids)) == (dt.date(2026, 4, 2), {"vendor": "V-10"})
    assert dict(substitute.extras) == {"PO106": "VP", "PO107": "V-9"}
    assert (silent.line, silent.status, silent.quantity, silent.unit) == ("3", "", 7, "EA")
    assert (silent.date, dict(silent.extras)) == (dt.date(2026, 4, 3), {})


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        ("ACK*IA*6*EA\nACK*IB*4*EA", {}),
        ("ACK*IA*6*EA\nACK*IB*3*EA", {"PO102": "10", "PO103": "EA"}),
        ("ACK*IA*6*EA\nACK*IB*4*CA", {"PO102": "10", "PO103": "EA"}),
        ("ACK*IA*10*EA\nACK*IR", {"PO102": "10", "PO103": "EA"}),
    ],
)
def test_a_quantity_that_the_parts_do_not_tell_is_kept(parts, kept):
    first, *_others = x12.from_855(received("855", f"BAK*00*AC*1*20260301\nPO1*1*10*EA\n{parts}")).lines
    assert dict(first.extras) == kept


def test_the_date_of_a_line_holds_for_entries_without_one():
    text = "BAK*00*AC*1*20260301\nPO1*1*2*EA\nDTM*067*20260403\nACK*IA*1*EA\nACK*IB*1*EA*067*20260501"
    first, second = x12.from_855(received("855", text)).lines
    assert (first.date, second.date) == (dt.date(2026, 4, 3), dt.date(2026, 5, 1))


def test_units_and_the_promised_date_are_undone_by_the_profile():
    profile = partner(units={"CS": "CA"}, promised_date="068")
    text = ANSWER.replace("*40**", "*40*CA*")
    later = x12.from_855(received("855", text), partner=profile).lines[1]
    assert (later.unit, dict(later.extras)) == ("CS", {})


def test_an_answer_without_lines_is_its_verdict():
    found = x12.from_855(received("855", "BAK*06*rj*45001*20260301\nREF*VN*SO-9"))
    assert (found.verdict, found.lines, found.number, found.date) == ("RJ", (), "SO-9", None)
    assert dict(found.extras) == {"BAK01": "06", "BAK04": "20260301"}


def test_a_line_without_anything():
    assert x12.from_855(received("855", "BAK*00*AD*1*20260301\nPO1*1")).lines == (AcknowledgedLine(line="1"),)


def test_what_cannot_be_read_is_told():
    error = refused(x12.from_855, received("855", "BAK*00**1*20260301\nPO1*1\nACK**x"))
    assert error.faults == (
        "segment 2 BAK02 is mandatory and missing",
        "segment 4 ACK02 'x' is no number",
        "segment 4 ACK01 is mandatory and missing",
    )


def test_an_answer_to_a_change():
    text = """
    BCA*00*AC*45001**3*20260301***SO-9*20260303
    POC*1*QI*12*2*EA*2.5**BP*B-100
    ACK*IA*12*EA*067*20260401
    POC*2*DI*0*0*EA
    CTT*2*12
    """
    found = x12.from_865(received("865", text))
    assert (found.number, found.order_number, found.verdict) == ("SO-9", "45001", "AC")
    assert dict(found.extras) == {"BCA05": "3", "BCA06": "20260301"}
    first, second = found.lines
    assert (first.status, first.quantity, first.price) == ("IA", 12, Decimal("2.5"))
    assert dict(first.extras) == {"POC02": "QI", "POC03": "12", "POC04": "2", "POC05": "EA"}
    assert (second.quantity, second.unit, dict(second.extras)) == (0, "EA", {"POC02": "DI", "POC04": "0"})
