"""What the end of an answer tells before the answer is decoded, so that the next page can be asked for at once.

Only what is certain is told: everything else is left to decoding (Fusion reference, section 5: form of a collection).
"""

from __future__ import annotations

import re

import attrs

__all__ = ["Ending", "ending_of"]

_TAIL = 4096
_BEGIN = re.compile(rb'\s*\{\s*"items"\s*:\s*\[')
_END = re.compile(
    rb'\]\s*,\s*"count"\s*:\s*(\d+)\s*,\s*("hasMore"\s*:\s*)(true|false)\s*,\s*"limit"\s*:\s*(\d+)\s*,'
    rb'\s*"offset"\s*:\s*\d+\s*(?:,\s*"links"\s*:\s*\[[^\[\]]*\]\s*)?\}\s*\Z'
)


@attrs.frozen
class Ending:
    """How a page ends.

    Args:
        count: Rows on it. ``more``: what ``hasMore`` says. ``limit``: the page size that counts.
        key: Of its last row.
        begin, end: Where in the body its rows are, between the brackets.
    """

    count: int
    more: bool
    limit: int
    key: int
    begin: int
    end: int


def ending_of(content: bytes, key: str) -> Ending | None:
    """The end of a page whose rows and children all came; ``None`` where that is not certain, or it has no rows.

    Args:
        content: The body of an answer.
        key: Attribute with the rows' number. It must occur once a row: a child that has it too leaves open whose it is.
    """
    begin, end = _BEGIN.match(content), _END.search(content, max(0, len(content) - _TAIL))
    if begin is None or end is None or end.start() < begin.end():
        return None
    # A writer has one way to space names from values. Were a child's another one, its rest would be asked for later.
    if content.find(end[2] + b"true", 0, end.start()) >= 0:
        return None
    count, more, limit = int(end[1]), end[3] == b"true", int(end[4])
    name = b'"%s"' % key.encode()
    if count == 0 or content.count(name) != count:
        return None
    last = re.compile(rb"%s\s*:\s*(\d+)\s*[,}]" % re.escape(name)).match(content, content.rfind(name))
    return None if last is None else Ending(count, more, limit, int(last[1]), begin.end(), end.start())
