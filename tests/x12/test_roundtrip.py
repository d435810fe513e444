"""Document, set, interchange, set, document: equal in everything the set carries; and no input breaks the way back."""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from pathlib import Path

import attrs
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mlconnector import x12
from mlconnector.documents import (
    AcknowledgedLine,
    Address,
    Application,
    Invoice,
    InvoiceLine,
    OrderAcknowledgment,
    OrderLine,
    Pack,
    Party,
    Payment,
    PurchaseOrder,
    Schedule,
    Shipment,
    ShipmentItem,
    from_json,
    to_json,
)
from mlconnector.errors import InvalidDocument, X12Error
from mlconnector.x12._format import cents
from tests.x12._orders import AT
from tests.x12.test_corpus import FOLDER, rows

SOME = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
READERS = {
    code: getattr(x12, f"from_{code.lower()}")
    for code in ("810", "820", "850", "855", "856", "860", "865", "997", "999", "TA1")
}

WORD = st.text("ABCdef019/&#.-", min_size=3, max_size=12)
TEXT = st.lists(WORD, min_size=1, max_size=3).map(" ".join)
NUMBER = st.text("ABC012-/", min_size=2, max_size=20)
DATE = st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31))
QUANTITY = st.decimals("0.001", 90_000, places=3)
PRICE = st.decimals(0, 10_000, places=4)
CENTS = st.decimals("0.01", 90_000, places=2)
UNIT = st.sampled_from(["EA", "KG", "CS", "each"])
IDS = st.dictionaries(st.sampled_from(["buyer", "vendor"]), NUMBER, min_size=1) | st.just({"gtin": "012345678905"})
ADDRESS = st.builds(
    Address,
    lines=st.lists(WORD, min_size=1, max_size=4),
    city=WORD,
    state=st.sampled_from(["", "TX", "NV"]),
    postal_code=st.sampled_from(["", "78701"]),
    country=st.sampled_from(["", "US", "DEU"]),
)
PARTY = st.builds(Party, number=NUMBER | st.just("4343"), name=TEXT, address=st.none() | ADDRESS)
PARTNERS = st.builds(
    x12.Partner,
    sender=st.just(x12.Id("ZZ", "ACME")),
    receiver=st.just(x12.Id("01", "123456789")),
    version=st.sampled_from(["004010", "005010", "004010VICS"]),
    delimiters=st.sampled_from([x12.Delimiters(), x12.Delimiters(element="|", segment="\n", component=":")]),
    currency=st.sampled_from([None, "USD"]),
    parties=st.just({"4343": x12.Id("UL", "0614141000012")}),
    buyer_name=st.sampled_from(["", "ACME Inc"]),
    units=st.just({"CS": "CA", "each": "EA"}),
    terms=st.just({
        "N30": x12.Terms(net_days=30),
        "D": x12.Terms(type="08", percent=Decimal(2), days=10, net_days=30),
        "D2": x12.Terms(type="08", percent=Decimal(2), days=10, net_days=30, text="two"),
    }),
    freight=st.just({"C": "CC", "P": "PP"}),
    charges=st.just({"Freight": "D240"}),
    references=st.sampled_from([{}, {"DP": "0042"}]),
    release_reference=st.sampled_from([None, "BO"]),
    account_reference=st.sampled_from([None, "11"]),
    cost_center_reference=st.just("19"),
    ctt02=st.sampled_from([None, "sum", "hash"]),
    price_basis=st.sampled_from(["convert", "state"]),
    poc_quantities=st.sampled_from(["total_left", "old_new", "new_new"]),
    credit_sign=st.sampled_from(["positive", "negative"]),
    hierarchy=st.sampled_from([None, "0003"]),
    sscc_digits=st.sampled_from([None, 18, 20]),
    carriers=st.just({"UPS": "UPSN"}),
    packaging=st.just({"CTN": "CTN25", "PLT": "PLT94"}),
    withholding_reason=st.just("WT"),
    payment_methods=st.sampled_from([{}, {"K": "CHK", "A": "ACH"}]),
    promised_date=st.sampled_from(["067", "068"]),
)  # fmt: skip


def again(ts: x12.TransactionSet, partner: x12.Partner) -> x12.TransactionSet:
    (back,) = x12.read(x12.interchange([ts], partner, control=x12.ControlNumbers(), at=AT))
    return back


def unit_read(unit: str) -> str:
    """Two ERP units have the code EA; the profile's own one is found first."""
    return "each" if unit == "EA" else unit


def read_back(document, back):
    assert back == document
    assert from_json(to_json(back)) == back


@st.composite
def line(draw, number: str):
    quantity, price = draw(QUANTITY), draw(st.none() | PRICE)
    per = draw(st.sampled_from([Decimal(1), Decimal(1000)]))
    kind = draw(st.sampled_from(["item", "item", "item", "amount"]))
    schedules: list[Schedule] = []
    if kind == "item" and draw(st.booleans()):
        part = (quantity / 3).quantize(Decimal("0.001"))
        schedules = [Schedule(date=draw(DATE), quantity=part), Schedule(date=draw(DATE), quantity=quantity - part)]
    return OrderLine(
        number=number,
        kind=kind,
        description=draw(TEXT),
        item_ids=draw(IDS),
        quantity=quantity,
        unit=draw(UNIT),
        unit_price=price,
        price_per=per,
        amount=draw(CENTS) if kind == "amount" else None if price is None else quantity * price / per,
        requested_date=None if schedules else draw(st.none() | DATE),
        schedules=schedules,
        ship_to=draw(st.none() | PARTY),
        account=draw(st.sampled_from(["", "6110"])),
        cost_center=draw(st.sampled_from(["", "M30"])),
    )


@st.composite
def orders(draw):
    lines: list[OrderLine] = []
    for number in draw(st.lists(st.sampled_from(["1", "1.010", "2", "30"]), min_size=1, max_size=3, unique=True)):
        lines.append(draw(line(number)))
        lines += [OrderLine(number="T", kind="text", description=text) for text in draw(st.lists(TEXT, max_size=1))]
    for _ in range(draw(st.integers(0, 2))):
        amount = draw(CENTS) * draw(st.sampled_from([1, -1]))
        lines.append(OrderLine(number="F", kind="charge", description=draw(st.just("Freight") | WORD), amount=amount))
    return PurchaseOrder(
        number=draw(NUMBER),
        company="00001",
        date=draw(DATE),
        supplier=draw(PARTY),
        ship_to=draw(st.none() | PARTY),
        bill_to=draw(st.none() | PARTY),
        buyer=draw(st.just("") | TEXT),
        currency=draw(st.sampled_from(["USD", "EUR"])),
        terms=draw(st.sampled_from(["", "N30", "D", "D2"])),
        freight=draw(st.sampled_from(["", "C", "P"])),
        notes=draw(st.lists(TEXT, max_size=2)),
        original_order=draw(st.sampled_from(["", "OB-1"])),
        drop_ship=draw(st.booleans()),
        lines=lines,
    )


def priced(one, partner: x12.Partner):
    """What a set says of quantity and price: per unit, or per thousand where the partner wants that stated."""
    if one.kind == "amount":
        said = {"quantity": Decimal(1), "unit": "LO", "unit_price": one.amount, "price_unit": "LO"}
        return attrs.evolve(one, **said, price_per=Decimal(1))
    unit, stated = unit_read(one.unit), one.price_per == 1000 and partner.price_basis == "state"
    if one.unit_price is None:
        return attrs.evolve(one, unit=unit, price_unit="", price_per=Decimal(1))
    price, per = (one.unit_price, Decimal(1000)) if stated else (one.unit_price / one.price_per, Decimal(1))
    return attrs.evolve(one, unit=unit, unit_price=price, price_unit=unit, price_per=per)


def carried_line(one: OrderLine, partner: x12.Partner) -> OrderLine:
    return attrs.evolve(priced(one, partner), account=one.account if partner.account_reference else "")


def carried_order(order: PurchaseOrder, partner: x12.Partner) -> PurchaseOrder:
    """The order as its 850 tells it: texts after their line, charges at the end, with numbers of their own."""
    lines, charges, owner, texts = [], [], "", 0
    for one in order.lines:
        if one.kind == "charge":
            charges.append(attrs.evolve(one, number=f"SAC{len(charges) + 1}"))
        elif one.kind == "text":
            texts += 1
            lines.append(attrs.evolve(one, number=f"{owner}/MSG{texts}"))
        else:
            owner, texts = one.number, 0
            lines.append(carried_line(one, partner))
    return attrs.evolve(
        order, lines=lines + charges, extras={f"REF*{key}": one for key, one in partner.references.items()}
    )


@SOME
@given(orders(), PARTNERS)
def test_850(order, partner):
    back = x12.from_850(again(x12.to_850(order, partner), partner), partner=partner)
    read_back(carried_order(order, partner), back)


@SOME
@given(orders(), orders(), PARTNERS, st.integers(1, 999))
def test_860(old, new, partner, sequence):
    old = attrs.evolve(old, number=new.number)
    assume(x12.order_content(old) != x12.order_content(new))
    ts = x12.to_860(old, new, partner, sequence=sequence, at=AT)
    back = x12.from_860(again(ts, partner), partner=partner)
    expected = carried_order(new, partner)
    changed = {one[1]: one[2] for one in ts.all("POC")}
    lines = []
    owner = ""
    for one in expected.lines:
        owner = one.number if one.kind in ("item", "amount") else owner
        if one.kind == "charge" or changed.get(owner, "DI") != "DI":
            lines.append(one)
    assert [one.number for one in back.lines if one.status != "cancelled"] == [one.number for one in lines]
    was = {one.number: priced(one, partner).quantity for one in old.lines if one.kind in ("item", "amount")}
    for one, found in zip(lines, (one for one in back.lines if one.status != "cancelled"), strict=True):
        extras, told = {}, one
        if one.kind in ("item", "amount"):
            extras = {"POC02": changed[one.number]}
            if partner.poc_quantities == "old_new":
                extras["POC03"] = x12_number(was.get(one.number, Decimal(0)))
            elif partner.poc_quantities == "total_left":
                told = attrs.evolve(one, open_quantity=one.quantity)
        assert found == attrs.evolve(told, extras=extras)
    gone = [one for one in back.lines if one.status == "cancelled"]
    assert {one.number for one in gone} == {number for number, code in changed.items() if code == "DI"}
    assert all(one.quantity == 0 for one in gone)
    extras = {**expected.extras, "BCH11": f"{AT:%Y%m%d}"}
    of_all_lines = next((one[2] for one in ts.all("DTM") if one[1] == "002"), "")
    if of_all_lines and not any(one.kind not in ("charge", "text") for one in back.lines):
        # Nothing but the head has changed: the date common to its lines stays where it was told.
        extras["DTM*002"] = of_all_lines
    read_back(attrs.evolve(expected, lines=back.lines, revision=str(sequence), extras=extras), back)


def x12_number(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"


@st.composite
def invoices(draw):
    lines: list[InvoiceLine] = []
    for index in range(draw(st.integers(1, 3))):
        quantity, price, kind = draw(QUANTITY), draw(PRICE), draw(st.sampled_from(["item", "item", "amount"]))
        amount = quantity * price if kind == "item" else draw(CENTS)
        lines.append(
            InvoiceLine(
                number=str(index + 1),
                kind=kind,
                description=draw(TEXT),
                item_ids=draw(IDS),
                quantity=quantity,
                unit=draw(UNIT),
                unit_price=price,
                amount=amount,
                purchase_order=draw(st.sampled_from(["", "PO-9"])),
            )
        )
    taxes = [InvoiceLine(kind="tax", amount=amount) for amount in draw(st.lists(CENTS, max_size=2))]
    charges = [
        InvoiceLine(kind="charge", description="Freight", amount=amount * draw(st.sampled_from([1, -1])))
        for amount in draw(st.lists(CENTS, max_size=2))
    ]
    texts = [InvoiceLine(kind="text", description=text) for text in draw(st.lists(TEXT, max_size=1))]
    gross = cents(sum((one.amount for one in (*lines, *taxes, *charges)), Decimal(0)))
    return Invoice(
        number="7001",
        company="00001",
        kind=draw(st.sampled_from(["voucher", "credit"])),
        supplier_invoice_number=draw(NUMBER),
        date=draw(DATE),
        due_date=draw(st.none() | DATE),
        supplier=draw(PARTY),
        currency=draw(st.sampled_from(["USD", "EUR"])),
        gross=gross,
        terms=draw(st.sampled_from(["", "N30"])),
        lines=[*lines, *taxes, *charges, *texts],
        purchase_order=draw(st.just("45001") | NUMBER),
    )


def carried_invoice(invoice: Invoice, partner: x12.Partner) -> Invoice:
    """The invoice as its 810 tells it. A credit's amounts are negative when they are read."""
    sign = -1 if invoice.kind == "credit" and invoice.gross >= 0 else 1
    counts = {"tax": 0, "charge": 0, "text": 0}
    names = {"tax": "TXI", "charge": "SAC", "text": "NTE"}
    lines = []
    for one in invoice.lines:
        if one.kind in counts:
            counts[one.kind] += 1
            told = attrs.evolve(one, number=f"{names[one.kind]}{counts[one.kind]}")
        else:
            ordered = one.purchase_order if one.purchase_order != invoice.purchase_order else ""
            told = attrs.evolve(priced(one, partner), order_line=one.number, purchase_order=ordered)
            if one.kind == "amount":
                told = attrs.evolve(told, unit_price=one.amount * sign)
            else:
                told = attrs.evolve(told, quantity=told.quantity * sign)
        lines.append(attrs.evolve(told, amount=None if told.amount is None else told.amount * sign))
    taxes = [one.amount for one in lines if one.kind == "tax"]
    if len(taxes) == 1:
        lines = [one for one in lines if one.kind != "tax"]
    references = {f"REF*{key}": one for key, one in partner.references.items()}
    return attrs.evolve(
        invoice,
        number=invoice.supplier_invoice_number,
        gross=invoice.gross * sign,
        tax=sum(taxes, Decimal(0)) if taxes else None,
        remit_to=invoice.supplier,
        lines=lines,
        extras={"BIG08": "22", "REF*CR": "00001/7001", **references},
    )


@SOME
@given(invoices(), PARTNERS)
def test_810(invoice, partner):
    assume(invoice.kind == "voucher" or invoice.gross > 0)
    back = x12.from_810(again(x12.to_810(invoice, partner), partner), partner=partner)
    read_back(carried_invoice(invoice, partner), back)


@st.composite
def payments(draw):
    parts = [
        Application(
            invoice=draw(NUMBER), amount=draw(CENTS), discount=draw(st.none() | CENTS), withheld=draw(st.none() | CENTS)
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    used = [Application(invoice=draw(NUMBER), amount=Decimal("-0.01")) for _ in range(draw(st.integers(0, 1)))]
    return Payment(
        number=draw(NUMBER),
        date=draw(DATE),
        method=draw(st.sampled_from(["check", "ach", "wire", "card", "K", "A"])),
        amount=sum((one.amount for one in (*parts, *used)), Decimal(0)),
        currency=draw(st.sampled_from(["USD", "EUR"])),
        payee=draw(PARTY),
        bank_reference=draw(st.just("TRACE-9")),
        applications=parts,
        credits=used,
    )


@SOME
@given(payments(), PARTNERS)
def test_820(payment, partner):
    assume(partner.payment_methods or payment.method not in ("K", "A"))
    back = x12.from_820(again(x12.to_820(payment, partner), partner), partner=partner)
    extras = {f"REF*{key}": one for key, one in partner.references.items()}
    if partner.buyer_name:
        extras["N1*PR"] = partner.buyer_name
    method = (
        {"check": "K", "ach": "A"}.get(payment.method, payment.method) if partner.payment_methods else payment.method
    )
    read_back(attrs.evolve(payment, method=method, extras=extras), back)


@st.composite
def shipments(draw):
    names = draw(st.lists(st.sampled_from(["003456789012345675", "1Z999", "BOX-3"]), max_size=3, unique=True))
    packs = [
        Pack(number=name, kind=draw(st.sampled_from(["", "CTN"])), weight=draw(QUANTITY), weight_unit="KG")
        for name in names
    ]
    orders = draw(st.lists(NUMBER, min_size=1, max_size=2, unique=True))
    holders = {name: draw(st.sampled_from(orders)) for name in names}
    items = []
    for index, pack in enumerate([*names, *draw(st.lists(st.sampled_from(["", *names]), max_size=2)), ""]):
        items.append(
            ShipmentItem(
                order_number=holders.get(pack) or draw(st.sampled_from(orders)),
                order_line=str(index + 1),
                item_ids=draw(IDS),
                description=draw(TEXT),
                quantity=draw(QUANTITY),
                unit=draw(UNIT),
                pack=pack,
            )
        )
    return Shipment(
        number=draw(NUMBER),
        date=draw(DATE),
        carrier=draw(st.sampled_from(["", "UPS", "Own truck"])),
        ship_from=draw(st.none() | PARTY),
        ship_to=draw(PARTY),
        orders=orders,
        packs=packs,
        items=items,
    )


@SOME
@given(shipments(), PARTNERS)
def test_856(shipment, partner):
    back = x12.from_856(again(x12.to_856(shipment, partner), partner), partner=partner)
    places = {one.order_line: at for at, one in enumerate(shipment.items)}
    assert sorted(places) == sorted(one.order_line for one in back.items)
    expected = attrs.evolve(
        shipment,
        items=[attrs.evolve(one, unit=unit_read(one.unit)) for one in shipment.items],
        packs=sorted(shipment.packs, key=lambda one: one.number),
        orders=sorted(shipment.orders),
        extras=back.extras,
    )
    found = attrs.evolve(
        back,
        items=sorted(back.items, key=lambda one: places[one.order_line]),
        packs=sorted(back.packs, key=lambda one: one.number),
        orders=sorted(back.orders),
    )
    read_back(expected, found)
    told = {f"HL*1/REF*{key}" for key in partner.references} | {"BSN05"}
    assert {name for name in back.extras if not name.startswith("HL*1/TD1")} == told


@st.composite
def acknowledgments(draw):
    lines = []
    for number in draw(st.lists(st.sampled_from(["1", "2", "30"]), min_size=1, max_size=3, unique=True)):
        price = draw(st.none() | PRICE)
        for _ in range(draw(st.integers(1, 2))):
            quantity = draw(st.none() | QUANTITY)
            status, unit = draw(st.sampled_from(["IA", "IQ", "IB", "IR"])), draw(UNIT) if quantity is not None else ""
            date = draw(st.none() | DATE)
            lines.append(
                AcknowledgedLine(line=number, status=status, quantity=quantity, unit=unit, date=date, price=price)
            )
    return OrderAcknowledgment(
        number=draw(st.just("") | NUMBER),
        order_number=draw(NUMBER),
        date=draw(DATE),
        verdict=draw(st.sampled_from(["AC", "AD", "RD"])),
        currency=draw(st.sampled_from(["USD", "EUR"])),
        lines=lines,
    )


@SOME
@given(acknowledgments(), PARTNERS)
def test_855(answer, partner):
    back = x12.from_855(again(x12.to_855(answer, partner), partner), partner=partner)
    extras = {"BAK04": f"{answer.date:%Y%m%d}"} | {f"REF*{key}": one for key, one in partner.references.items()}
    lines = [attrs.evolve(one, unit=unit_read(one.unit)) for one in answer.lines]
    read_back(attrs.evolve(answer, lines=lines, extras=extras), back)


@SOME
@given(st.lists(orders(), min_size=1, max_size=3), PARTNERS, st.sets(st.integers(0, 2)))
def test_997_and_ta1(documents, partner, broken):
    sets = [x12.to_850(one, partner) for one in documents]
    sets = [ts.replace("BEG", x12.Segment("BEG", "00")) if at in broken else ts for at, ts in enumerate(sets)]
    received = list(x12.read(x12.interchange(sets, partner, control=x12.ControlNumbers(9, 17), at=AT)))
    back = x12.from_997(again(x12.to_997(received, partner), partner), partner=partner)
    verdicts = ["R" if at in broken else "A" for at in range(len(sets))]
    assert back.group == "PO/17"
    assert [(one.code, one.control_number, one.verdict) for one in back.sets] == [
        ("850", ts.control_number, verdict) for ts, verdict in zip(received, verdicts, strict=True)
    ]
    assert back.verdict == (verdicts[0] if len(set(verdicts)) == 1 else "P")
    assert all(bool(one.errors) == (one.verdict == "R") for one in back.sets)
    ta1 = x12.from_ta1(x12.to_ta1(received, partner), partner=partner)
    assert (ta1.group, ta1.verdict, ta1.errors) == ("ISA/9", "A", ())
    assert dict(ta1.extras) == {"TA102": "260301", "TA103": "2330"}


def taken(item, partner: x12.Partner | None) -> None:
    """A document, a finding or a refusal with reasons; nothing else."""
    if isinstance(item, x12.Unreadable):
        assert item.findings
        return
    for reader in {READERS.get(item.code, x12.from_850), x12.from_997}:
        with contextlib.suppress(InvalidDocument):
            document = reader(item, partner=partner)
            assert from_json(to_json(document)) == document
    assert str(x12.diff(item, item)) == "no difference"


def seeds() -> list[bytes]:
    return [(Path(FOLDER) / row["file"]).read_bytes() for row in rows()]


BASIC = (
    b"ISA*00*          *00*          *ZZ*S              *ZZ*R              *260301*2330*U*00401*000000001*0*T*>~"
    b"GS*PO*S*R*20260301*2330*1*X*004010~ST*850*0001~BEG*00*SA*45001**20260301~N1*ST*X*92*1~PO1*1*5*EA*2*TP*BP*7~"
    b"SAC*A*F050***100~CTT*1~SE*7*0001~GE*1*1~IEA*1*000000001~"
)


@SOME
@given(st.binary(max_size=300), st.sampled_from([b"", BASIC]), st.integers(0, 300))
def test_any_bytes_are_taken(noise, start, at):
    try:
        for item in x12.read(start[:at] + noise + start[at:], broken="yield"):
            taken(item, None)
    except X12Error:
        return


@SOME
@given(st.data(), PARTNERS | st.none())
def test_mutated_files_are_taken(data, partner):
    raw = data.draw(st.sampled_from([BASIC, *seeds()]))
    try:
        sets = [item for item in x12.read(raw, broken="yield") if isinstance(item, x12.TransactionSet)]
    except X12Error:
        return
    sets = [ts for ts in sets if ts.segments]
    assume(sets)
    ts = data.draw(st.sampled_from(sets))
    segments = [list(one) for one in ts.segments]
    odd = st.sampled_from(
        ["", "X", "-1", "1E99", "1E-99", ".5", "9" * 40, "20269999", "\x1f", "a\x1fb", "0", "CM", "A"]
    )
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(segments) - 1))
        match data.draw(st.sampled_from(["value", "value", "value", "drop", "twice", "move", "tag"])):
            case "value":
                index = data.draw(st.integers(1, 9))
                row = segments[at]
                row += [""] * (index + 1 - len(row))
                row[index] = data.draw(odd)
            case "drop":
                del segments[at][data.draw(st.integers(1, 4)) :]
            case "twice":
                segments.insert(at, list(segments[at]))
            case "move":
                segments.insert(data.draw(st.integers(0, len(segments) - 1)), segments.pop(at))
            case _:
                segments[at][0] = data.draw(
                    st.sampled_from(["PO1", "HL", "RMR", "SAC", "N1", "ITD", "TXI", "AK2", "XYZ"])
                )
    taken(attrs.evolve(ts, segments=[x12.Segment(*one) for one in segments]), partner)
