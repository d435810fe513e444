"""X12: values in, values out. No clock, no files, no control numbers of its own (design 4.5).

``to_850``, ``to_860`` and ``to_810`` turn documents into sets, :func:`interchange` writes sets, :func:`read` reads
them, :func:`validate` names every fault.
"""

from __future__ import annotations

from mlconnector.target import ControlNumbers
from mlconnector.x12._change import to_860
from mlconnector.x12._codec import Unreadable, read
from mlconnector.x12._content import invoice_content, order_content
from mlconnector.x12._envelope import interchange
from mlconnector.x12._invoice import to_810
from mlconnector.x12._order import to_850
from mlconnector.x12._partner import UNITS, Partner, Terms
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
from mlconnector.x12._validate import validate

__all__ = [
    "COMPONENT",
    "REPETITION",
    "UNITS",
    "ControlNumbers",
    "Delimiters",
    "Finding",
    "Group",
    "Id",
    "Interchange",
    "Partner",
    "Segment",
    "Terms",
    "TransactionSet",
    "Unreadable",
    "interchange",
    "invoice_content",
    "order_content",
    "read",
    "to_810",
    "to_850",
    "to_860",
    "validate",
]
