"""Orchestrations of the simulated site: its names and habits, the running of a call, discovery (section 6)."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, NoReturn

import attrs

from mlconnector.errors import InvalidArgument
from mlconnector.testing._ais_answers import error_answer, html_page
from mlconnector.testing._ais_books import Books, FinancialRules
from mlconnector.testing._ais_contract import (
    CONTRACTS,
    BusinessRefusal,
    Contract,
    Input,
    OrchestrationFailed,
    Values,
    read_inputs,
)
from mlconnector.testing._ais_journals import BatchRun, Staging, create_journal_entry
from mlconnector.testing._ais_matching import match_voucher, reverse_voucher
from mlconnector.testing._ais_payments import record_payment, void_payment
from mlconnector.testing._ais_query import DateFormat
from mlconnector.testing._ais_store import Row, TableStore
from mlconnector.testing._ais_vouchers import create_voucher, set_pay_status
from mlconnector.testing._wire import Answer, Refused, Request, json_answer

__all__ = ["OrchestrationService", "OrchestrationSite"]

_LOGIN_MEMBERS = frozenset(
    {"token", "deviceName", "username", "password", "environment", "role", "jasserver", "psToken"}
)
_NUMBERS = frozenset({"DocumentNumber", "BatchNumber", "PaymentId", "PaymentNumber", "MatchedLines"})
_FORMS: Mapping[str, str] = {
    "ML_CreateAPVoucher": "P0411_W0411A",
    "ML_RecordAPPayment": "P0413M_W0413MB",
    "ML_VoidAPPayment": "P0413M_W0413MA",
    "ML_SetPayStatus": "P0411S_W0411SA",
    "ML_MatchVoucher": "P4314_W4314A",
    "ML_ReverseVoucher": "P4314_W4314F",
    "ML_CreateJournalEntry": "P0911_W0911A",
}


@attrs.frozen(kw_only=True)
class OrchestrationSite:
    """How a customer has built the orchestrations of the contract.

    Args:
        names: Name of the contract to the site's name; None where the site has none of the kind.
        lacks: Name of the contract to inputs that an older orchestration lacks (``"TaxArea"``, ``"Lines.Remark"``).
        unknown_inputs: What an input that the orchestration lacks does: end the call, or be passed over unseen.
        input_format: Of orchestrations without lists; those with lists are always generic.
        date_format: Of date inputs; None is the login's ``simpleDateFormat``.
        refusals: How a business refusal shows: HTTP 500; HTTP 200 with ``jde__status`` ``ERROR``; HTTP 200 with the
            errors of a form inside a step that continues after errors.
        status_fields: Whether answers have ``jde__status`` and its like (Tools 9.2.5.4).
        numbers: Whether numbers in answers are texts or JSON numbers.
        version3: Whether the site has the v3 path (Tools 9.2.4).
        z_files: Whether vouchers and journal entries go through F0411Z1 and F0911Z1 and wait for the batch.

    Raises:
        InvalidArgument: A value outside these, an unknown orchestration or input.
    """

    names: Mapping[str, str | None] = attrs.field(factory=dict)
    lacks: Mapping[str, Collection[str]] = attrs.field(factory=dict)
    unknown_inputs: Literal["refuse", "ignore"] = "refuse"
    input_format: Literal["generic", "standard"] = "generic"
    date_format: str | None = None
    refusals: Literal["500", "status", "step"] = "500"
    status_fields: bool = True
    numbers: Literal["text", "number"] = "text"
    version3: bool = True
    z_files: bool = False

    def __attrs_post_init__(self) -> None:
        for name, allowed in (
            ("unknown_inputs", ("refuse", "ignore")),
            ("input_format", ("generic", "standard")),
            ("refusals", ("500", "status", "step")),
            ("numbers", ("text", "number")),
        ):
            if getattr(self, name) not in allowed:
                raise InvalidArgument(f"{name} must be one of {allowed}, not {getattr(self, name)!r}.")
        if self.refusals == "status" and not self.status_fields:
            raise InvalidArgument("refusals='status' needs status_fields.")
        unknown = sorted({*self.names, *self.lacks} - set(CONTRACTS))
        if unknown:
            raise InvalidArgument(f"The contract has no {unknown}; it has {', '.join(CONTRACTS)}.")
        for name, inputs in self.lacks.items():
            missing = sorted(set(inputs) - CONTRACTS[name].input_names)
            if missing:
                raise InvalidArgument(f"{name} has no inputs {missing}.")
        if self.date_format is not None:
            DateFormat(self.date_format)

    def contracts(self) -> dict[str, Contract]:
        """The site's name to what it runs."""
        found = {}
        for name, contract in CONTRACTS.items():
            here = self.names.get(name, name)
            if here is not None:
                found[here] = contract.without(self.lacks.get(name, ()))
        return found


@attrs.define
class OrchestrationService:
    """Runs orchestrations on the simulator's tables. A call that is refused has changed nothing."""

    site: OrchestrationSite
    _contracts: dict[str, Contract]
    _dates: DateFormat
    _books: Books
    _staging: Staging
    _denied: dict[str, Literal[403, 500]]
    _programs: Mapping[str, Callable[[Books, Values], Row]]
    _to_postpone: dict[str, float] = attrs.field(factory=dict, init=False)
    _late: list[tuple[dt.datetime, str, Request, Mapping[str, Any]]] = attrs.field(factory=list, init=False)

    @classmethod
    def over(
        cls,
        stores: Mapping[str, TableStore],
        *,
        site: OrchestrationSite,
        rules: FinancialRules,
        user: str,
        dates: DateFormat,
    ) -> OrchestrationService:
        """The service over a simulator's tables.

        Args:
            stores: The tables.
            site: The customer's orchestrations.
            rules: The customer's financials.
            user: The login.
            dates: The login's date format.
        """
        books = Books(stores, rules, user)
        staging = Staging(books)
        programs: dict[str, Callable[[Books, Values], Row]] = {
            "ML_CreateAPVoucher": staging.stage_voucher if site.z_files else create_voucher,
            "ML_RecordAPPayment": record_payment,
            "ML_VoidAPPayment": void_payment,
            "ML_SetPayStatus": set_pay_status,
            "ML_MatchVoucher": match_voucher,
            "ML_ReverseVoucher": reverse_voucher,
            "ML_CreateJournalEntry": staging.stage_journal_entry if site.z_files else create_journal_entry,
        }
        used = dates if site.date_format is None else DateFormat(site.date_format)
        return cls(site, site.contracts(), used, books, staging, {}, programs)

    def deny(self, name: str, status: Literal[403, 500] | None) -> None:
        """Take the rights to an orchestration (403), or to a component of it (500), away; None gives them back."""
        self._known(name)
        if status is None:
            self._denied.pop(name, None)
        elif status in {403, 500}:
            self._denied[name] = status
        else:
            raise InvalidArgument(f"Missing rights show as 403 or 500, not {status!r}.")

    def postpone(self, name: str, by: float) -> None:
        """Let the next call of an orchestration act only ``by`` seconds after it was made."""
        self._known(name)
        if by <= 0:
            raise InvalidArgument(f"by must be positive, it is {by!r}.")
        self._to_postpone[name] = by

    def catch_up(self, now: dt.datetime) -> None:
        """Do what was postponed until now; nobody hears of it."""
        due = [each for each in self._late if each[0] <= now]
        self._late = [each for each in self._late if each[0] > now]
        for moment, name, request, body in due:
            with contextlib.suppress(Refused):
                self.run(name, request, body, moment)

    def _known(self, name: str) -> None:
        if name not in self._contracts:
            raise InvalidArgument(f"The site has no orchestration {name!r}; it has {', '.join(self._contracts)}.")

    def post(self, batch: int | None, now: dt.datetime) -> frozenset[int]:
        """Post a batch, or all of them."""
        return self._books.post(batch, now)

    def run_batch(self, now: dt.datetime) -> BatchRun:
        """Run the batch processors."""
        self._books.begin(now)
        return self._staging.run()

    def discover(self, name: str | None) -> Answer:
        """What the login may see: all orchestrations, or one."""
        listed = [
            self._discovered(here, contract)
            for here, contract in self._contracts.items()
            if self._denied.get(here) != 403 and name in {None, here}
        ]
        return json_answer({"orchestrations": listed})

    def _discovered(self, here: str, contract: Contract) -> dict[str, Any]:
        return {
            "name": here,
            "description": contract.description,
            "inputFormat": "JDE Standard" if self._standard(contract) else "Generic",
            "inputs": _shown(contract.inputs),
            "outputs": [{"name": output} for output in contract.outputs],
            "udoGroup": "Shared",
        }

    def _standard(self, contract: Contract) -> bool:
        return self.site.input_format == "standard" and not contract.has_lists

    def run(self, name: str, request: Request, body: Mapping[str, Any], now: dt.datetime) -> Answer:
        """Run one call.

        Raises:
            Refused: Wrong Accept header, missing rights, unknown orchestration, bad input, business refusal.
        """
        _check_accept(request.headers.get("accept"))
        if name in self._to_postpone:
            due = now + dt.timedelta(seconds=self._to_postpone.pop(name))
            self._late.append((due, name, request, body))
            raise Refused(html_page(504))
        stamp = now.strftime("%Y-%m-%d:%H.%M.%S")
        contract, denied = self._contracts.get(name), self._denied.get(name)
        if denied == 403:
            raise Refused(Answer(status=403))
        if contract is None or denied is not None:
            what = "A component of orchestration" if contract else "Orchestration"
            raise Refused(error_answer(500, f"{what} {name} was not found", stamp))
        try:
            sent = request.query if request.method == "GET" else self._sent(contract, body)
            values = read_inputs(
                contract.inputs, sent, self._dates, ignore_unknown=self.site.unknown_inputs == "ignore"
            )
            self._books.begin(now)
            outputs = self._programs[contract.name](self._books, values)
        except OrchestrationFailed as failed:
            raise Refused(error_answer(500, f"{name}: {failed}", stamp)) from None
        except BusinessRefusal as refusal:
            self._refuse(contract, refusal, now)
        text = "; ".join(self._books.warnings)
        shown = {key: self._output(key, value) for key, value in outputs.items()}
        return json_answer(shown | self._status_fields("WARNING" if text else "SUCCESS", text, now))

    def _sent(self, contract: Contract, body: Mapping[str, Any]) -> Mapping[str, Any]:
        sent = {key: value for key, value in body.items() if key not in _LOGIN_MEMBERS}
        if not self._standard(contract):
            if "inputs" in sent:
                raise OrchestrationFailed("The orchestration takes the generic input format")
            return sent
        pairs = sent.pop("inputs", [])
        shaped = isinstance(pairs, list) and all(isinstance(each, Mapping) and "name" in each for each in pairs)
        if sent or not shaped:
            raise OrchestrationFailed("The orchestration takes the JDE Standard input format")
        return {str(each["name"]): each.get("value") for each in pairs}

    def _output(self, key: str, value: Any) -> Any:
        if key not in _NUMBERS or self.site.numbers == "number":
            return value
        return str(value)

    def _status_fields(self, status: str, text: str, now: dt.datetime) -> dict[str, Any]:
        if not self.site.status_fields:
            return {}
        moment = now.isoformat(timespec="milliseconds")
        return {
            "jde__status": status,
            "jde__simpleMessage": text,
            "jde__startTimestamp": moment,
            "jde__endTimestamp": moment,
            "jde__serverExecutionSeconds": 0,
        }

    def _refuse(self, contract: Contract, refusal: BusinessRefusal, now: dt.datetime) -> NoReturn:
        fault = {
            "CODE": refusal.code,
            "TITLE": f"Error: {refusal.text}",
            "ERRORCONTROL": "1",
            "DESC": f"CAUSE. . . . {refusal.text}",
            "MOBILE": refusal.text,
        }
        if self.site.refusals == "500":
            stamp = now.strftime("%Y-%m-%d:%H.%M.%S")
            raise Refused(error_answer(500, refusal.text, stamp, errorDetails={"errors": [fault]}))
        if self.site.refusals == "status":
            raise Refused(json_answer(self._status_fields("ERROR", refusal.text, now)))
        form = _FORMS[contract.name]
        step = {f"fs_{form}": {"title": form, "data": {}, "errors": [fault], "warnings": []}, "currentApp": form}
        blank = dict.fromkeys(contract.outputs, "")
        raise Refused(json_answer(blank | {"ServiceRequest1": step} | self._status_fields("SUCCESS", "", now)))


def _shown(inputs: Sequence[Input]) -> list[dict[str, Any]]:
    return [
        {"name": each.name, "type": each.type} | ({"array": _shown(each.members)} if each.members else {})
        for each in inputs
        if each.offered
    ]


def _check_accept(header: str | None) -> None:
    ranges = {part.partition(";")[0].strip().lower() for part in (header or "*/*").split(",")}
    if not ranges & {"application/json", "application/*", "*/*"}:
        raise Refused(html_page(406))
