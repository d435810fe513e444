"""Two payers: how a site makes sure that what BILL pays is not paid by JD Edwards too (rule B60)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from mlconnector.check import CheckStep
from mlconnector.documents import Invoice, PayItem
from mlconnector.errors import (
    AuthenticationFailed,
    DeliveryInDoubt,
    DocumentError,
    InvalidArgument,
    MLConnectorError,
    PermissionDenied,
)
from mlconnector.flows._around import Around
from mlconnector.jdedwards import JDEdwardsAIS
from mlconnector.target import Prepared, Receipt, Target

__all__ = ["HandOver", "HandedOver", "PayStatus", "PaymentInstrument", "Reopened", "Reserved", "Trusted"]

_APPROVED = "A"
_NEVER = ("P", "#", "H", "R", "%")
_ITEM = ("KCO", "DCT", "DOC", "SFX", "SFXE")


@attrs.frozen
class PaymentInstrument:
    """Only vouchers with this payment instrument (F0411.PYIN) go; JD Edwards' own payment runs leave it out.

    Raises:
        InvalidArgument: Not one character.
    """

    instrument: str

    def __attrs_post_init__(self) -> None:
        if len(self.instrument) != 1:
            raise InvalidArgument(f"instrument={self.instrument!r}.", cure="Give one character of F0411.PYIN.")

    def reasons(self, voucher: Invoice, item: PayItem) -> list[str]:
        """What keeps a pay item from going.

        Args:
            voucher: The whole voucher the pay item belongs to.
        """
        found = [] if item.pay_status == _APPROVED else [f"pay status {item.pay_status or 'blank'}"]
        of_items = voucher.extras.get("payment_instruments", {})
        instrument = str(of_items.get(item.number, voucher.extras.get("payment_instrument")) or "")
        return found if instrument == self.instrument else [*found, f"payment instrument {instrument or 'blank'}"]

    def check(self, jde: JDEdwardsAIS) -> CheckStep:
        """Whether there are such vouchers at all."""
        count = jde.count("F0411", [("PYIN", "=", self.instrument), ("DCT", "in", ["PV", "PD"])])
        return CheckStep(
            name="hand-over: payment instrument",
            ok=True,
            detail=f"{count} pay items have instrument {self.instrument}; no payment run may select it",
        )


@attrs.frozen
class PayStatus:
    """Each pay item is set to this pay status before its bill exists, and again after every void.

    Raises:
        InvalidArgument: Not one character, or one that JD Edwards itself gives.
    """

    status: str

    def __attrs_post_init__(self) -> None:
        if len(self.status) != 1 or self.status in (*_NEVER, _APPROVED):
            raise InvalidArgument(
                f"status={self.status!r}.", cure="Use one character of 00/PS that is reserved for BILL, like B."
            )

    def reasons(self, _voucher: Invoice, item: PayItem) -> list[str]:
        """What keeps a pay item from going."""
        fits = item.pay_status in (_APPROVED, self.status)
        return [] if fits else [f"pay status {item.pay_status or 'blank'}"]

    def check(self, jde: JDEdwardsAIS) -> CheckStep:
        """Whether the site has the orchestration that sets it."""
        lacks = jde.lacking_orchestrations(["set_pay_status"])
        return CheckStep(
            name="hand-over: pay status",
            ok=not lacks,
            detail=f"pay status {self.status} is set before a bill exists",
            cause="; ".join(lacks),
            cure="Import the orchestration, or name the site's own in orchestrations=." if lacks else "",
            who="the JD Edwards administrator" if lacks else "",
        )


@attrs.frozen
class Trusted:
    """The site says itself why nothing is paid twice; the reason stands in every check.

    Raises:
        InvalidArgument: No reason.
    """

    reason: str

    def __attrs_post_init__(self) -> None:
        if not self.reason.strip():
            raise InvalidArgument("reason='' explains nothing.", cure="Say why JD Edwards does not pay these vouchers.")

    def reasons(self, _voucher: Invoice, item: PayItem) -> list[str]:
        """What keeps a pay item from going."""
        return [] if item.pay_status == _APPROVED else [f"pay status {item.pay_status or 'blank'}"]

    def check(self, _jde: JDEdwardsAIS) -> CheckStep:
        """The reason, for whoever reads the check."""
        return CheckStep(name="hand-over: trusted", ok=True, detail=self.reason)


HandOver = PaymentInstrument | PayStatus | Trusted


class _Reserving(Around):
    """A target beside which pay items are reserved."""

    def __init__(self, inner: Target[Any], jde: JDEdwardsAIS, status: str) -> None:
        super().__init__(inner)
        self._jde, self._status = jde, status


class HandedOver(_Reserving):
    """Bills: each pay item is reserved in JD Edwards before its bill is made; repeating that is harmless (B60).

    One that is approved again, after a hold say, is reserved before its bill is sent again.
    """

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Reserve, then deliver those that are reserved.

        Raises:
            MLConnectorError: A dead login, a refused permission: nothing went to BILL.
        """
        answers: dict[int, Receipt | MLConnectorError] = {}
        ready: list[tuple[int, Prepared]] = []
        for place, prepared in enumerate(batch):
            try:
                if self._wants_reserving(prepared):
                    self._jde.set_pay_status(prepared.key, self._status)
                ready.append((place, prepared))
            except (AuthenticationFailed, PermissionDenied) as error:
                error.repeat_safe = True
                raise
            except MLConnectorError as error:
                # Nothing went to BILL, and setting a status again is harmless.
                error.repeat_safe = getattr(error, "cause", "") == ""
                answers[place] = error
        if ready:
            told = self._inner.deliver([prepared for _place, prepared in ready])
            answers |= {place: answer for (place, _prepared), answer in zip(ready, told, strict=True)}
        return [answers[place] for place in range(len(batch))]

    def _wants_reserving(self, prepared: Prepared) -> bool:
        item = prepared.document
        if item.void or not item.open:
            return False
        return prepared.target_id is None or item.pay_status != self._status


class Reopened(_Reserving):
    """Payments: a void opens its vouchers again as approved, so they are reserved again at once (B60).

    A void counts as done only once that is done, too: until then it is in doubt, and looked for again at every run.
    """

    _state = "open again"

    def deliver(self, batch: Sequence[Prepared]) -> Sequence[Receipt | MLConnectorError]:
        """Deliver, then reserve what has become open by it."""
        answers = self._inner.deliver(batch)
        return [self._answer(prepared, answer) for prepared, answer in zip(batch, answers, strict=True)]

    def find(self, prepared: Prepared) -> Receipt | None:
        """The inner target's; then what has become open by it is reserved, too."""
        found = self._inner.find(prepared)
        return found if found is None or not self._opens(prepared) else self._reserved(found)

    def _opens(self, prepared: Prepared) -> bool:
        return bool(prepared.document.void)

    def _opened(self, receipt: Receipt) -> list[str]:
        """Keys of the pay items that are open to JD Edwards by it."""
        rows = self._jde.rows("F0414", columns=_ITEM, where=[("PYID", "=", int(receipt.id or 0))])
        return [_pay_item_key("F0414", row) for row in rows]

    def _answer(self, prepared: Prepared, answer: Receipt | MLConnectorError) -> Receipt | MLConnectorError:
        if isinstance(answer, MLConnectorError) or not self._opens(prepared):
            return answer
        try:
            return self._reserved(answer)
        except MLConnectorError as error:
            return DeliveryInDoubt(
                f"{prepared.marker} is in JD Edwards, its pay items are not reserved: {error.message}",
                cure="The next run goes on with it.",
                system="jdedwards",
            )

    def _reserved(self, receipt: Receipt) -> Receipt:
        """The receipt, with what a person should see where a pay item cannot be reserved."""
        refused = []
        for key in dict.fromkeys(self._opened(receipt)):
            try:
                self._jde.set_pay_status(key, self._status)
            except DocumentError as error:
                refused.append(f"Pay item {key} is {self._state} and not reserved: {error.message}")
        return attrs.evolve(receipt, raw={**receipt.raw, "attention": " ".join(refused)}) if refused else receipt


class Reserved(Reopened):
    """Vouchers that bills become: open to JD Edwards, so reserved as soon as they are there (B60, B62)."""

    _state = "open to JD Edwards' own payments"

    def _opens(self, prepared: Prepared) -> bool:
        return not prepared.document.void

    def _opened(self, receipt: Receipt) -> list[str]:
        if receipt.id is None:
            raise DeliveryInDoubt("The voucher's number is not known yet.", cure="The next run looks for it.")
        company, kind, number = receipt.id.split("/")
        where = [("DOC", "=", int(number)), ("DCT", "=", kind), ("KCO", "=", company)]
        rows = self._jde.rows("F0411", columns=(*_ITEM, "DCTA", "AAP"), where=where)
        live = [row for row in rows if not str(row["F0411_DCTA"] or "").strip() and row["F0411_AAP"]]
        return [_pay_item_key("F0411", row) for row in live]


def _pay_item_key(table: str, row: Mapping[str, Any]) -> str:
    """The key of the pay item that a row of a table names."""
    company, kind, number, item, extension = (str(row[f"{table}_{name}"] or "").strip() for name in _ITEM)
    return "/".join([company, kind, number, item, *([extension] if extension not in ("", "0") else [])])
