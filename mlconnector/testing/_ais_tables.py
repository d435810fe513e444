"""JD Edwards tables as data: columns, types and keys (AIS reference, section 7).

A column is written ``ALIAS:type``: ``S5`` text of 5 characters, ``B12`` a business unit, right-justified in 12, ``N`` a
number, ``D`` a date, ``T`` a time of day as the number HHMMSS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

__all__ = ["TABLES", "Column", "Table"]


@attrs.frozen
class Column:
    """One column, by its data dictionary alias."""

    alias: str
    kind: Literal["S", "B", "N", "D", "T"]
    length: int | None


@attrs.frozen
class Table:
    """One table: its columns by alias, its primary key, the columns of its stamp, defaults of key columns."""

    name: str
    title: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    stamp: tuple[str, str]
    defaults: Mapping[str, object]


def _column(text: str) -> Column:
    alias, _, kind = text.partition(":")
    match kind[0]:
        case "S":
            return Column(alias, "S", int(kind[1:]))
        case "B":
            return Column(alias, "B", int(kind[1:]))
        case "N":
            return Column(alias, "N", None)
        case "D":
            return Column(alias, "D", None)
        case _:
            return Column(alias, "T", None)


def _table(name: str, title: str, *, key: str, time: str, columns: str, **defaults: object) -> Table:
    audit = f"USER:S10 PID:S10 JOBN:S10 UPMJ:D {time}:T"
    listed = [_column(text) for text in f"{columns} {audit}".split()]
    return Table(name, title, tuple(key.split()), {column.alias: column for column in listed}, ("UPMJ", time), defaults)


_CATEGORY_CODES = " ".join(f"AC{number:02}:S3" for number in range(1, 31))
_PERIOD_ENDS = " ".join(f"D{number:02}J:D" for number in range(1, 15))

_ALL = (
    _table(
        "F4301",
        "Purchase Order Header",
        key="DOCO DCTO KCOO SFXO",
        time="TDAY",
        SFXO="000",
        columns="""
        KCOO:S5 DOCO:N DCTO:S2 SFXO:S3 MCU:B12 AN8:N SHAN:N TRDJ:D DRQJ:D PDDJ:D CNDJ:D OKCO:S5 OORN:S8 OCTO:S2
        RKCO:S5 RORN:S8 RCTO:S2 VR01:S25 VR02:S25 DEL1:S30 DEL2:S30 RMK:S30 DESC:S30 PTC:S3 TXA1:S10 EXR1:S2 FRTH:S3
        ANBY:N HOLD:S2 OTOT:N CRRM:S1 CRCD:S3 CRR:N FAP:N BCRC:S3 ORBY:S10 TKBY:S10 CORD:N
        """,
    ),
    _table(
        "F4311",
        "Purchase Order Detail File",
        key="DOCO DCTO KCOO SFXO LNID",
        time="TDAY",
        SFXO="000",
        columns="""
        KCOO:S5 DOCO:N DCTO:S2 SFXO:S3 LNID:N LNTY:S2 NXTR:S3 LTTR:S3 MCU:B12 CO:S5 AN8:N SHAN:N ITM:N LITM:S25
        AITM:S25 DSC1:S30 DSC2:S30 UOM:S2 UORG:N UOPN:N UREC:N PRRC:N UOM3:S2 AEXP:N AOPN:N AREC:N FRRC:N FEA:N
        CRCD:S3 CRR:N DRQJ:D PDDJ:D TRDJ:D DGL:D GLC:S4 ANI:S29 AID:S8 OMCU:B12 OBJ:S6 SUB:S8 PTC:S3 TX:S1 TXA1:S10
        EXR1:S2 VR01:S25 OKCO:S5 OORN:S8 OCTO:S2 OGNO:N RKCO:S5 RORN:S8 RCTO:S2 RLLN:N UKID:N
        """,
    ),
    _table(
        "F0411",
        "Accounts Payable Ledger",
        key="DOC DCT KCO SFX SFXE",
        time="UPMT",
        SFX="001",
        SFXE=0,
        columns="""
        DOC:N DCT:S2 KCO:S5 SFX:S3 SFXE:N DCTA:S2 AN8:N PYE:N SNTO:N DIVJ:D DDJ:D DDNJ:D DGJ:D FY:N CTRY:N PN:N CO:S5
        ICU:N ICUT:S2 PST:S1 AG:N AAP:N ADSC:N ADSA:N ATXA:N ATXN:N STAM:N CRRM:S1 CRCD:S3 CRR:N ACR:N FAP:N CTAM:N
        GLC:S4 GLBA:S8 POST:S1 MCU:B12 OBJ:S6 SUB:S8 PTC:S3 VOD:S1 VINV:S25 PKCO:S5 PO:S8 PDCT:S2 LNID:N SFXO:S3
        RMK:S30 PYIN:S1 TORG:S10 BCRC:S3 TXA1:S10 EXR1:S2
        """,
    ),
    _table(
        "F0401",
        "Supplier Master",
        key="AN8",
        time="UPMT",
        columns="""
        AN8:N APC:S4 CRRP:S3 TRAP:S3 PYIN:S1 HDPY:S1 HOLD:S2 TXA2:S10 EXR2:S2 SNTO:N MCUP:B12 OBAP:S6 AIDP:S8 CRCA:S3
        AB1:S1 FRTH:S3 AVCH:S1
        """,
    ),
    _table(
        "F0101",
        "Address Book Master",
        key="AN8",
        time="UPMT",
        columns=f"""
        AN8:N ALPH:S40 TAX:S20 ALKY:S20 AT1:S3 MCU:B12 LNGP:S2 EFTB:D TX2:S20 DUNS:S13 {_CATEGORY_CODES} PDI:S5 AN81:N
        AN82:N AN83:N AN84:N AN85:N AN86:N
        """,
    ),
    _table(
        "F0116",
        "Address by Date",
        key="AN8 EFTB",
        time="UPMT",
        EFTB=None,
        columns="""
        AN8:N EFTB:D ADD1:S40 ADD2:S40 ADD3:S40 ADD4:S40 ADDZ:S12 CTY1:S25 COUN:S25 ADDS:S3 CTR:S3
        """,
    ),
    _table(
        "F0111",
        "Address Book - Who's Who",
        key="AN8 IDLN",
        time="UPMT",
        IDLN=0,
        columns="AN8:N IDLN:N MLNM:S40 GNNM:S25 SRNM:S25",
    ),
    _table(
        "F0115",
        "Address Book - Phone Numbers",
        key="AN8 IDLN RCK7 CNLN",
        time="UPMT",
        IDLN=0,
        RCK7=1,
        CNLN=0,
        columns="AN8:N IDLN:N RCK7:N CNLN:N PHTP:S4 AR1:S6 PH1:S20",
    ),
    _table(
        "F01151",
        "Address Book - Email/Internet",
        key="AN8 IDLN RCK7",
        time="UPMT",
        IDLN=0,
        RCK7=1,
        columns="AN8:N IDLN:N RCK7:N ETP:S4 EMAL:S256",
    ),
    _table(
        "F0901",
        "Account Master",
        key="AID",
        time="UPMT",
        columns="AID:S8 MCU:B12 OBJ:S6 SUB:S8 CO:S5 ANS:S25 DL01:S30 LDA:S1 PEC:S1 CRCD:S3",
    ),
    _table("F0006", "Business Unit Master", key="MCU", time="UPMT", columns="MCU:B12 STYL:S2 CO:S5 DL01:S30 PECC:S1"),
    _table(
        "F0911",
        "Account Ledger",
        key="DCT DOC KCO DGJ JELN LT EXTL",
        time="UPMT",
        EXTL="",
        LT="AA",
        columns="""
        DCT:S2 DOC:N KCO:S5 DGJ:D JELN:N LT:S2 EXTL:S2 CO:S5 AID:S8 ANI:S29 MCU:B12 OBJ:S6 SUB:S8 SBL:S8 SBLT:S1 AA:N
        CRCD:S3 CRR:N POST:S1 ICU:N ICUT:S2 PN:N FY:N CTRY:N EXA:S30 EXR:S30 R1:S8 R2:S8 R3:S8 AN8:N PO:S8
        """,
    ),
    _table(
        "F0413",
        "Accounts Payable - Matching Document",
        key="PYID",
        time="UPMT",
        columns="PYID:N DCTM:S2 DOCM:N PYE:N GLBA:S8 DMTJ:D VDGJ:D PAAP:N CRCD:S3 PYIN:S1 ICU:N ICUT:S2 RCND:S1",
    ),
    _table(
        "F0414",
        "Accounts Payable Matching Document Detail",
        key="PYID RC5",
        time="UPMT",
        columns="""
        PYID:N RC5:N KCO:S5 DCT:S2 DOC:N SFX:S3 SFXE:N DCTM:S2 PAAP:N PFAP:N ADSA:N RMK:S30 AN8:N
        """,
    ),
    _table(
        "F0411Z1",
        "Voucher Transactions - Batch File",
        key="EDUS EDBT EDTN EDLN",
        time="UPMT",
        columns="""
        EDUS:S10 EDBT:S15 EDTN:S22 EDLN:N EDSP:S1 CO:S5 DCT:S2 AN8:N VINV:S25 DIVJ:D DGJ:D AG:N ACR:N STAM:N CTAM:N
        CRCD:S3 CRR:N PTC:S3 RMK:S30 PO:S8 TXA1:S10 EXR1:S2
        """,
    ),
    _table(
        "F0911Z1",
        "Journal Entry Transactions - Batch File",
        key="EDUS EDBT EDTN EDLN",
        time="UPMT",
        columns="""
        EDUS:S10 EDBT:S15 EDTN:S22 EDLN:N EDSP:S1 EDTC:S1 EDTR:S1 CO:S5 DCT:S2 DGJ:D MCU:B12 OBJ:S6 SUB:S8 LT:S2 AA:N
        CRCD:S3 EXA:S30 EXR:S30 R1:S8
        """,
    ),
    _table(
        "F0014",
        "Payment Terms",
        key="PTC",
        time="UPMT",
        PTC="",
        columns="PTC:S3 PTD:S30 DCP:N DCD:N NDTP:N",
    ),
    _table(
        "F4101",
        "Item Master",
        key="ITM",
        time="TDAY",
        columns="ITM:N LITM:S25 AITM:S25 DSC1:S30 DSC2:S30 UOM1:S2 STKT:S1",
    ),
    _table(
        "F43121",
        "Purchase Order Receiver File",
        key="MATC DOCO DCTO KCOO SFXO LNID NLIN DOC",
        time="TDAY",
        SFXO="000",
        NLIN=1,
        columns="""
        MATC:S1 AN8:N KCOO:S5 DOCO:N DCTO:S2 SFXO:S3 LNID:N NLIN:N ALIN:N ITM:N LITM:S25 AITM:S25 LNTY:S2 LOCN:S20
        LOTN:S30 MCU:B12 CO:S5 TRDJ:D RCDJ:D DRQJ:D PDDJ:D OPDJ:D DGL:D NXTR:S3 LTTR:S3 KCO:S5 DOC:N DCT:S2 SFX:S3
        VINV:S25 JELN:N PTC:S3 PST:S1 AVCH:S1 UOM:S2 UORG:N UREC:N UPTD:N UOPN:N UCLO:N UOM3:S2 PRRC:N ECST:N AREC:N
        APTD:N AOPN:N ACLO:N VARC:N CRCD:S3 CRR:N FRRC:N FREC:N FAPT:N FAP:N FCLO:N FEC:N BCRC:S3 TX:S1 TXA1:S10
        EXR1:S2 STAM:N CTAM:N AID:S8 ANI:S29 OMCU:B12 OBJ:S6 SUB:S8 SBL:S8 SBLT:S1 GLC:S4 SHPN:N RTGC:S1 RCPF:S1
        RCD:S3 VRMK:S30 VR01:S25 VR02:S25 CNID:S20 UKID:N FUF3:S1 TERM:S10
        """,
    ),
    _table(
        "F4006",
        "Order Address Information",
        key="DOCO DCTO KCOO ANTY",
        time="UPMT",
        columns="""
        DOCO:N DCTO:S2 KCOO:S5 ANTY:S1 LNID:N MLNM:S40 ADD1:S40 ADD2:S40 ADD3:S40 ADD4:S40 ADDZ:S12 CTY1:S25 COUN:S25
        ADDS:S3 CRTE:S4 BKML:S2 CTR:S3
        """,
    ),
    _table(
        "F0008",
        "Date Fiscal Patterns",
        key="DTPN DFYJ FQ",
        time="UPMT",
        FQ="",
        columns=f"DTPN:S1 DFYJ:D FQ:S4 FY:N CTRY:N {_PERIOD_ENDS} PNT:S1",
    ),
    _table(
        "F0010",
        "Company Constants",
        key="CO",
        time="UPMT",
        columns="""
        CO:S5 NAME:S30 CRCD:S3 DTPN:S1 DFYJ:D PNC:N APFJ:D APPN:N ARFJ:D ARPN:N PNF:N DFF:N NNP:N BKTX:S1
        """,
    ),
)

TABLES: Mapping[str, Table] = {table.name: table for table in _ALL}
"""The tables the simulator knows, by name."""
