"""The tables this library reads: keys, stamps and columns (AIS reference, section 7). Facts, no code.

Columns are data dictionary aliases without the table's prefix, as AIS takes them (section 3.1).
"""

from __future__ import annotations

import attrs

__all__ = ["COUNTED", "DATES", "NUMBERS", "TABLES", "Table"]

_PERIOD_ENDS = tuple(f"D{number:02}J" for number in range(1, 15))
DATES = frozenset(
    [
        *("UPMJ", "TRDJ", "DRQJ", "PDDJ", "DIVJ", "DDJ", "DGJ", "EFTB", "DMTJ", "VDGJ", "RCDJ", "CNDJ", "DFYJ", "APFJ"),
        *_PERIOD_ENDS,
    ]
)
"""Columns that hold dates: they come as ``YYYYMMDD`` and are asked for in the login user's format."""


NUMBERS = frozenset(("AN8", "DOC", "DOCO", "PYID"))
"""First columns of keys that hold whole numbers, given out in rising order and never changed."""


@attrs.frozen
class Table:
    """A table: primary key, time-of-day column beside ``UPMJ``, and the columns that are read."""

    name: str
    key: tuple[str, ...]
    time: str
    columns: tuple[str, ...]

    @property
    def stamps(self) -> tuple[str, str]:
        """The two columns of the audit stamp."""
        return ("UPMJ", self.time)


def _table(name: str, key: str, time: str, columns: str) -> Table:
    return Table(name, tuple(key.split()), time, tuple(f"{key} {columns} UPMJ {time}".split()))


TABLES = {
    table.name: table
    for table in (
        _table(
            "F4301",
            "DOCO DCTO KCOO SFXO",
            "TDAY",
            "MCU AN8 SHAN TRDJ DRQJ PDDJ OKCO OORN OCTO RKCO RORN RCTO RMK PTC FRTH ANBY HOLD OTOT CRRM CRCD FAP BCRC"
            " CORD",
        ),
        _table(
            "F4311",
            "DOCO DCTO KCOO SFXO LNID",
            "TDAY",
            "LNTY NXTR LTTR MCU ITM LITM AITM DSC1 DSC2 UOM UORG UOPN UREC PRRC UOM3 AEXP FRRC FEA DRQJ PDDJ ANI OMCU"
            " TX TXA1 OCTO OORN OKCO OGNO",
        ),
        _table(
            "F0411",
            "DOC DCT KCO SFX SFXE",
            "UPMT",
            "DCTA AN8 PYE DIVJ DDJ DGJ CO PST AG AAP ADSC STAM CRRM CRCD CRR ACR FAP CTAM POST PTC VOD VINV PKCO PO"
            " PDCT RMK PYIN BCRC",
        ),
        _table("F0401", "AN8", "UPMT", "CRRP TRAP HDPY HOLD"),
        _table("F0101", "AN8", "UPMT", "ALPH TAX AT1"),
        _table("F0116", "AN8 EFTB", "UPMT", "ADD1 ADD2 ADD3 ADD4 ADDZ CTY1 ADDS CTR"),
        _table("F0111", "AN8 IDLN", "UPMT", "MLNM"),
        _table("F01151", "AN8 IDLN RCK7", "UPMT", "EMAL"),
        _table("F0901", "AID", "UPMT", "CO MCU OBJ SUB DL01 PEC"),
        _table("F0006", "MCU", "UPMT", "CO DL01 PECC"),
        _table("F0911", "DCT DOC KCO DGJ JELN LT EXTL", "UPMT", "AID ANI MCU OBJ SUB AA CRCD EXA R1"),
        _table("F0413", "PYID", "UPMT", "DCTM DOCM PYE DMTJ VDGJ PAAP CRCD PYIN"),
        _table("F0414", "PYID RC5", "UPMT", "KCO DCT DOC SFX SFXE DCTM PAAP PFAP ADSA RMK AN8"),
        _table(
            "F43121",
            "MATC DOCO DCTO KCOO SFXO LNID NLIN DOC",
            "TDAY",
            "KCO DCT AN8 LITM AITM LNTY AVCH UOM UREC UOPN UOM3 PRRC AREC AOPN FRRC FREC FAP CRCD OMCU OBJ SUB",
        ),
        _table("F4006", "DOCO DCTO KCOO ANTY", "UPMT", "MLNM ADD1 ADD2 ADD3 ADD4 ADDZ CTY1 ADDS CTR"),
        _table("F0010", "CO", "UPMT", "CRCD DTPN DFYJ PNC APFJ APPN NNP"),
        _table("F0008", "DTPN DFYJ FQ", "UPMT", " ".join(_PERIOD_ENDS)),
    )
}
"""By name."""
COUNTED = (
    frozenset(
        {
            *(alias for table in TABLES.values() for alias in (*table.key, table.time)),
            *("SHAN", "ANBY", "PYE", "DOCM", "ITM", "PNC", "APNN", "APPN", "CRRP", "NNP"),
        }
    )
    - DATES
)
"""Columns whose numbers name or count something: whole, but for the three decimals of ``LNID``."""
