"""``python -m mlconnector.demo``: JD Edwards to Cleo against the shipped simulators, offline, in a few seconds."""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
from pathlib import Path

import attrs

import mlconnector as mc
from mlconnector import flows, x12
from mlconnector.delivery import Report
from mlconnector.testing import CleoSimulator, JDEdwardsSimulator, ManualClock, orders, vouchers

__all__ = ["main"]


def _say(title: str) -> None:
    print(f"\n=== {title}")


def _progress(kind: str, read: int, delivered: int) -> None:
    print(f"    {kind}: {read} read, {delivered} delivered", file=sys.stderr)


def _show(report: Report, uploads: int) -> None:
    print(report)
    print(f"    files at Cleo: {uploads}")


def main() -> int:
    """Run the demo; the exit code is 0 when everything happened as it says."""
    clock = ManualClock(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC))
    with (
        tempfile.TemporaryDirectory() as folder,
        JDEdwardsSimulator(clock=clock) as erp,
        CleoSimulator(clock=clock) as network,
        mc.JDEdwardsAIS(erp.url, auth=mc.AISSession(erp.username, erp.password), clock=clock) as jde,
        mc.Cleo(network.url, auth=mc.OAuth2Password(network.username, network.password), clock=clock) as cleo,
        mc.Ledger(
            Path(folder) / "demo.db", actor="demo", high_water=Path(folder) / "high-water.json", clock=clock
        ) as ledger,
    ):
        erp.add(orders(24, suppliers=6, odd={3: ["hold"], 7: ["unapproved"], 11: ["unmapped_unit"]}))
        erp.add(vouchers(6, suppliers=6))
        clock.advance(dt.timedelta(hours=1))
        return _play(erp, network, jde, cleo, ledger, clock)


def _play(  # noqa: PLR0917 - the cast of the play
    erp: JDEdwardsSimulator,
    network: CleoSimulator,
    jde: mc.JDEdwardsAIS,
    cleo: mc.Cleo,
    ledger: mc.Ledger,
    clock: ManualClock,
) -> int:
    partner = x12.Partner(sender=x12.Id("ZZ", "ACME"), receiver=x12.Id("01", "123456789"), usage="T")
    parties = [str(number) for number in range(4343, 4349)]
    route = flows.Route(parties, partner, folder="outbox/ACME")
    flow = flows.jde_to_cleo(jde, cleo, ledger=ledger, routes=[route])

    _say("The first run: every approved order and voucher goes out as X12")
    first = flow.run(progress=_progress)
    _show(first, len(network.uploads))

    sent = ledger.deliveries(kind="purchase_orders", state="delivered")[0]
    _say(f"One 850 in readable form: {sent.marker}")
    for ts in x12.read(ledger.payload(sent)):
        print(ts)
    _say(f"Its history in the ledger ({ledger.verify()} audit events, chain intact)")
    for event in ledger.history(sent.key):
        print(f"    {event}")

    _say("The second run, with the session expired: logged in again, nothing is sent twice")
    before = len(network.uploads)
    erp.expire_tokens()
    second = flow.run()
    _show(second, len(network.uploads))
    once = len(network.uploads) == before

    _say("An order changes; the answer to its upload is lost: looked for, found, not repeated")
    clock.advance(dt.timedelta(hours=1))
    line = {"DOCO": int(sent.key.rpartition("/")[2]), "DCTO": "OP", "KCOO": "00001", "SFXO": "000", "LNID": 1}
    order = next(iter(jde.purchase_orders(keys=[sent.key])))
    price = order.lines[0].unit_price or 0
    erp.update("F4311", line, UORG=7, UOPN=7, AEXP=7 * price)
    network.fail(drop="after", match="PUT")
    third = flow.run()
    _show(third, len(network.uploads))
    settled = len(network.uploads) == before + 1 and not third.kinds["purchase_orders"].in_doubt

    _say("A unit was missing; it is added to the partner's profile, and what was parked is replayed")
    parked = ledger.deliveries(state="parked")
    for delivery in parked:
        print(f"    {delivery.key}: {'; '.join(delivery.faults)}")
    mended = x12.Partner(sender=partner.sender, receiver=partner.receiver, usage="T", units={"ZZ": "EA"})
    flow = flows.jde_to_cleo(jde, cleo, ledger=ledger, routes=[flows.Route(parties, mended, folder="outbox/ACME")])
    network.expire_tokens()
    fourth = flow.replay(actor="demo", reason="unit ZZ added")
    _show(fourth, len(network.uploads))

    _say("The partner answers: a 997, and an 855 that confirms less than was ordered")
    _answer(network, partner, ledger, clock)
    fifth = flow.run()
    _show(fifth, len(network.uploads))
    for state in ledger.orders():
        if state.confirmed:
            print(f"    {state.key}: {state.acknowledged}, {state.confirmed}: {'; '.join(state.differences)}")
    for item in fifth.attention:
        print(f"    a person should see: {item}")
    answered = any(state.confirmed == "changed" and state.acknowledged == "accepted" for state in ledger.orders())

    delivered = once and settled and len(parked) == 1 and not ledger.deliveries(state="parked")
    good = delivered and fourth.ok and answered
    _say("Everything went as it should" if good else "Something did not go as it should")
    return 0 if good else 1


def _answer(network: CleoSimulator, partner: x12.Partner, ledger: mc.Ledger, clock: ManualClock) -> None:
    """What a partner's translator and its order desk send back, put into our inbox at Cleo."""
    them = attrs.evolve(partner, sender=partner.receiver, receiver=partner.sender)
    sent = ledger.deliveries(kind="purchase_orders", state="delivered")[3]
    received = list(x12.read(ledger.payload(sent)))
    order = x12.from_850(received[0], partner=partner)
    lines = [
        mc.AcknowledgedLine(
            line=line.number, status="IA", quantity=line.quantity, unit=line.unit, price=line.unit_price
        )
        for line in order.lines
    ]
    ordered = lines[0].quantity
    assert ordered is not None
    lines[0] = attrs.evolve(lines[0], status="IQ", quantity=ordered // 2)
    confirmation = mc.OrderAcknowledgment(
        number="SO-1", order_number=order.number, date=dt.date(2026, 3, 2), verdict="AC", currency="USD", lines=lines
    )
    answers = (x12.to_997(received), x12.to_855(confirmation, them, order=order))
    for number, ts in enumerate(answers, start=1):
        text = x12.interchange([ts], them, control=x12.ControlNumbers(number, number), at=clock.now())
        network.add(f"inbox/{ts.code}.edi", text.encode())


if __name__ == "__main__":
    sys.exit(main())
