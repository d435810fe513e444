"""X12: values in, values out. No clock, no files, no control numbers of its own (design 4.5).

``to_850`` and its like turn documents into sets, ``from_850`` and its like sets into documents. :func:`interchange`
writes sets, :func:`read` reads them, :func:`diff` compares them,
:func:`validate` names every fault, ``to_997`` and ``to_ta1`` answer for what was received.
"""

from __future__ import annotations

from mlconnector.target import ControlNumbers
from mlconnector.x12._acknowledgment import to_855
from mlconnector.x12._change import to_860
from mlconnector.x12._codec import Unreadable, read
from mlconnector.x12._content import invoice_content, order_content, payment_content, shipment_content
from mlconnector.x12._diff import Difference, Differences, diff
from mlconnector.x12._envelope import interchange
from mlconnector.x12._functional import to_997, to_ta1
from mlconnector.x12._invoice import to_810
from mlconnector.x12._order import to_850
from mlconnector.x12._partner import UNITS, Partner, Terms
from mlconnector.x12._payment import BankAccount, BankInstruction, to_820
from mlconnector.x12._read_acknowledgment import from_997, from_999, from_ta1
from mlconnector.x12._read_answer import from_855, from_865
from mlconnector.x12._read_invoice import from_810
from mlconnector.x12._read_order import from_850, from_860
from mlconnector.x12._read_payment import from_820
from mlconnector.x12._read_shipment import from_856
from mlconnector.x12._sets import (
    COMPONENT,
    REPETITION,
    Delimiters,
    Finding,
    Group,
    Id,
    Interchange,
    Segment,
    TransactionSet,
)
from mlconnector.x12._shipment import to_856
from mlconnector.x12._validate import validate

__all__ = [
    "COMPONENT",
    "REPETITION",
    "UNITS",
    "BankAccount",
    "BankInstruction",
    "ControlNumbers",
    "Delimiters",
    "Difference",
    "Differences",
    "Finding",
    "Group",
    "Id",
    "Interchange",
    "Partner",
    "Segment",
    "Terms",
    "TransactionSet",
    "Unreadable",
    "diff",
    "from_810",
    "from_820",
    "from_850",
    "from_855",
    "from_856",
    "from_860",
    "from_865",
    "from_997",
    "from_999",
    "from_ta1",
    "interchange",
    "invoice_content",
    "order_content",
    "payment_content",
    "read",
    "shipment_content",
    "to_810",
    "to_820",
    "to_850",
    "to_855",
    "to_856",
    "to_860",
    "to_997",
    "to_ta1",
    "validate",
]
