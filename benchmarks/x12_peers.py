"""X12 beside its peers, one command, one table: ``python benchmarks/x12_peers.py``.

The peers of ``peers.txt`` are installed into an environment of their own, thrown away afterwards. Orders differ in
their numbers, items, quantities, prices and suppliers, and each round has its own, so that nothing is fast because it
was seen before. Times are medians of CPU time in paired runs; a factor that is missed ends with exit code 1.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import itertools
import random
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROUNDS = 7
SETS = 300
LARGE = 100_000_000
MOST_MEMORY = 100_000_000
AT = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)

Row = tuple[str, str, str]


def medians(works: dict[str, Callable[[int], object]]) -> dict[str, float]:
    """CPU seconds of each, run in turn so that a drifting machine hits all alike. Each gets the number of the round."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(ROUNDS + 1):
        for name, work in works.items():
            begin = time.process_time()
            work(number)
            taken[name].append(time.process_time() - begin)
    return {name: statistics.median(times[1:]) for name, times in taken.items()}


def made_up(number: int):
    """An order of ten lines, another one for each number."""
    from mlconnector.documents import Address, OrderLine, Party, PurchaseOrder

    dice = random.Random(number)
    supplier = dice.randrange(400)
    address = Address(
        lines=(f"{supplier} Main St",), city="Austin", state="TX", postal_code=f"{70000 + supplier}", country="US"
    )
    dock = Address(lines=("5 Dock Rd",), city="Reno", state="NV", postal_code="89501", country="US")
    lines = []
    for line in range(1, 11):
        item, quantity, cents = dice.randrange(5000), Decimal(dice.randrange(1, 500)), dice.randrange(1, 99999)
        price = Decimal(cents) / 100
        lines.append(
            OrderLine(
                number=str(line),
                item_ids={"vendor": f"V-{item}"},
                description=f"Bolt M{item % 40} zinc {item}",
                quantity=quantity,
                unit="EA",
                unit_price=price,
                price_unit="EA",
                amount=quantity * price,
            )
        )
    return PurchaseOrder(
        number=str(4_500_000 + number),
        company="00001",
        date=dt.date(2026, 3, 1) + dt.timedelta(days=number % 300),
        currency="USD",
        supplier=Party(number=str(4343 + supplier), name=f"Supplier {supplier} Inc", address=address),
        ship_to=Party(number="3001", name="Dock 3", address=dock),
        lines=lines,
    )


def written(orders, partner) -> str:
    from mlconnector import x12

    sets = [x12.to_850(order, partner) for order in orders]
    return x12.interchange(sets, partner, control=x12.ControlNumbers(interchange=1, group=1), at=AT)


def reading(rows: list[Row], missed: list[str], partner) -> None:
    import mockedi.validate
    import mockedi.x12
    import pyx12.x12file
    import x12 as ansi

    from mlconnector import x12

    texts = [written(map(made_up, range(at * SETS, (at + 1) * SETS)), partner) for at in range(ROUNDS + 1)]
    raws = [text.encode() for text in texts]
    assert x12.validate(raws[0]) == []
    assert len(ansi.parse_x12_interchange(ansi.tokenize_x12(raws[0])).groups[0].transactions) == SETS
    assert len(mockedi.validate.validate(mockedi.x12.parse(texts[0])).messages) == SETS
    times = medians(
        {
            "read": lambda at: sum(1 for _ in x12.read(raws[at])),
            "validated": lambda at: x12.validate(raws[at]),
            "ansi": lambda at: ansi.parse_x12_interchange(ansi.tokenize_x12(raws[at])),
            "pyx12": lambda at: sum(1 for _ in pyx12.x12file.X12Reader(io.StringIO(texts[at]))),
            "mock": lambda at: mockedi.validate.validate(mockedi.x12.parse(texts[at])),
        }
    )
    what = f"{SETS} orders of 10 lines, {len(raws[0]) / 1e6:.2f} MB"
    compare(rows, missed, f"read, {what}", times["read"], "ansi-x12", times["ansi"], 3)
    compare(rows, missed, f"read, {what}", times["read"], "pyx12", times["pyx12"])
    compare(rows, missed, f"read and validate, {what}", times["validated"], "mock-edi", times["mock"], 10)


def compare(
    rows: list[Row], missed: list[str], what: str, own: float, peer: str, other: float, budget: float | None = None
) -> None:
    """A line of the table, and whether the factor is there."""
    told = f"{other / own:.1f} times" + (f" (budget {budget:g})" if budget is not None else "")
    rows.append((what, f"{own * 1000:.2f} ms, {peer} {other * 1000:.2f} ms", told))
    if budget is not None and other / own < budget:
        missed.append(f"{what}: {told}")


def writing(rows: list[Row], missed: list[str], partner) -> None:
    from mockedi import transactions, validate
    from mockedi import x12 as mock

    from mlconnector import x12

    orders = [made_up(number) for number in range(50)]
    us = transactions.Party(role="BY", name="ACME", identifier="00001")
    plain = []
    for order in orders:
        address, dock = order.supplier.address, order.ship_to.address
        supplier = {"id": order.supplier.number, "name": order.supplier.name, "street": address.lines[0]}
        supplier |= {"city": address.city, "region": address.state, "postal": address.postal_code, "country": "US"}
        head = {"po_number": order.number, "ordered_on": order.date.isoformat(), "currency": "USD"}
        head |= {"ship_to_name": order.ship_to.name, "ship_to_id": order.ship_to.number}
        head |= {"ship_to_street": dock.lines[0], "ship_to_city": dock.city, "ship_to_region": dock.state}
        head |= {"ship_to_postal": dock.postal_code, "ship_to_country": "US"}
        lines = [
            {"line": line.number, "quantity": str(line.quantity), "uom": "EA", "price": str(line.unit_price)}
            | {"sku": line.item_ids["vendor"], "upc": "", "description": line.description}
            for line in order.lines
        ]
        plain.append((supplier, head, lines))

    def mapped(supplier, head, lines):
        return mock.message("850", "0001", transactions.write_order("X12", us, supplier, head, lines, AT), "004010")

    def framed(message) -> str:
        return mock.render(mock.wrap([message], "ACME", "123456789", "1", "1", "PO", moment=AT))

    def checked(message):
        assert not transactions.unsendable(message, validate.validate_message(message, "X12"))
        return message

    control = x12.ControlNumbers(interchange=1, group=1)
    sets = [x12.to_850(order, partner) for order in orders]
    messages = [mapped(*one) for one in plain]
    assert sum(one.id == "PO1" for one in sets[0].segments) == sum(one.tag == "PO1" for one in messages[0].segments)
    times = medians(
        {
            "text": lambda _: [x12.interchange([one], partner, control=control, at=AT) for one in sets],
            "whole": lambda _: [
                x12.interchange([x12.to_850(one, partner)], partner, control=control, at=AT) for one in orders
            ],
            "mock text": lambda _: [framed(one) for one in messages],
            "mock whole": lambda _: [framed(checked(mapped(*one))) for one in plain],
        }
    )
    each = {name: seconds / len(orders) for name, seconds in times.items()}
    what = "write an 850 of 10 lines"
    compare(rows, missed, f"{what}, segments to text", each["text"], "mock-edi", each["mock text"], 5)
    compare(rows, missed, f"{what}, document to text, validated", each["whole"], "mock-edi", each["mock whole"], 5)


def repeated(text: str, size: int) -> Iterator[bytes]:
    """One interchange of one group, its sets again and again: nothing ends before all of it is read."""
    raw = text.encode()
    begin, end = raw.index(b"ST*"), raw.index(b"GE*")
    times = -(-size // (end - begin))
    yield raw[:begin]
    yield from itertools.repeat(raw[begin:end], times)
    yield b"GE*%d*1~IEA*1*000000001~" % (SETS * times)


def memory(rows: list[Row], missed: list[str], partner) -> None:
    from mlconnector import x12

    text = written(map(made_up, range(SETS)), partner)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.edi"
        with path.open("wb") as file:
            file.writelines(repeated(text, LARGE))
        size = path.stat().st_size
        with path.open("rb") as file:
            begin = time.process_time()
            count = sum(1 for _ in x12.read(file))
            seconds = time.process_time() - begin
        grown = peak_memory(path)
    assert count >= LARGE / len(text) * (SETS - 1)
    rows.append((f"read {size / 1e6:.0f} MB, {count} orders", f"{seconds:.1f} s", f"{size / 1e6 / seconds:.0f} MB/s"))
    told = f"{grown / 1e6:.0f} MB (budget {MOST_MEMORY / 1e6:.0f})"
    rows.append((f"read {size / 1e6:.0f} MB, most memory of the whole process", told, ""))
    if grown > MOST_MEMORY:
        missed.append(f"memory: {told}")


def peak_memory(path: Path) -> int:
    """Bytes that an interpreter of its own held at most while it read the file, all of it counted."""
    code = (
        "import resource, sys; from mlconnector import x12\n"
        "with open(sys.argv[1], 'rb') as file: sum(1 for _ in x12.read(file))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    return int(done.stdout) * (1 if sys.platform == "darwin" else 1024)


def measure() -> int:
    from mlconnector import x12

    partner = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"))
    rows: list[Row] = []
    missed: list[str] = []
    for part in (reading, writing, memory):
        part(rows, missed, partner)
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for what, figures, told in rows:
        print(f"{what.ljust(widths[0])}  {figures.ljust(widths[1])}  {told}".rstrip())
    for what in missed:
        print(f"missed: {what}", file=sys.stderr)
    return 1 if missed else 0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--here", action="store_true", help="the peers are installed in this environment")
    if options.parse_args().here:
        return measure()
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", str(HERE / "peers.txt"), str(HERE.parent)], check=True)
        return subprocess.run([python, __file__, "--here"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
