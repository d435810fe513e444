from __future__ import annotations

import datetime as dt
import json
import pickle
from decimal import Decimal

import pytest

from mlconnector import x12
from mlconnector.errors import InvalidArgument
from tests.x12._orders import partner

PROFILE = {
    "sender": {"qualifier": "ZZ", "id": "ACME"},
    "receiver": ["01", "123456789"],
    "references": {"DP": "0042"},
    "terms": {"N30": {"net_days": 30, "percent": "2", "days": 10}},
    "parties": {"3001": {"qualifier": "UL", "id": "0614141000012"}},
    "delimiters": {"component": ":"},
    "time_zone": "America/Chicago",
    "required": ["REF*DP"],
}


def finishing(ts, document):
    return ts


def test_a_profile_is_a_value():
    first, second = (partner(references={"DP": "1"}, finish=finishing) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert pickle.loads(pickle.dumps(first)) == first
    assert first.profile_hash == second.profile_hash
    assert first.profile_hash != partner(references={"DP": "2"}, finish=finishing).profile_hash
    assert first.profile_hash != partner(references={"DP": "1"}).profile_hash


def test_test_usage_is_the_default():
    assert partner().usage == "T"


def test_units_are_added_to_the_sure_ones_and_a_case_is_no_cassette():
    assert "CS" not in partner().unit_codes
    assert partner(units={"CS": "CA"}).unit_codes["CS"] == "CA"
    assert partner(units={"CS": "CA"}).unit_codes["EA"] == "EA"


@pytest.mark.parametrize("suffix", ["json", "toml"])
def test_profiles_load_from_files_and_mappings(tmp_path, suffix):
    path = tmp_path / f"acme.{suffix}"
    if suffix == "json":
        path.write_text(json.dumps(PROFILE), "utf-8")
    else:
        path.write_text(
            'receiver = ["01", "123456789"]\ntime_zone = "America/Chicago"\nrequired = ["REF*DP"]\n'
            '[sender]\nqualifier = "ZZ"\nid = "ACME"\n[references]\nDP = "0042"\n[delimiters]\ncomponent = ":"\n'
            '[terms.N30]\nnet_days = 30\npercent = "2"\ndays = 10\n[parties]\n3001 = ["UL", "0614141000012"]\n',
            "utf-8",
        )
    loaded = x12.Partner.load(str(path))
    assert loaded == x12.Partner.load(PROFILE)
    assert loaded.sender == x12.Id("ZZ", "ACME")
    assert loaded.terms["N30"] == x12.Terms(net_days=30, percent=Decimal(2), days=10)
    assert loaded.parties["3001"] == x12.Id("UL", "0614141000012")
    assert loaded.delimiters.component == ":"
    assert str(loaded.time_zone) == "America/Chicago"


def test_every_fault_is_told_at_once():
    wrong = {
        "sender": "ACME",
        "receiver": ["Z", "1"],
        "version": "003010",
        "usage": "X",
        "upper_case": "yes",
        "references": {"DP": "a*b"},
        "currency": "dollars",
        "time_zone": "Mars/Olympus",
        "finish": "later",
        "sender_code": "A",
        "receiver_code": "B>C",
        "units": {"CS": "CASE"},
        "terms": {"N30": "net 30", "N60": {"net_days": "60"}},
        "parties": ["3001"],
        "charges": 5,
        "required": "REF*DP",
        "order_type": "S",
        "release_reference": "LONG",
        "ctt02": "maybe",
        "originator": "123*",
        "withholding_reason": "too long",
        "remittance_gross": "some",
        "hierarchy": "0002",
        "sscc_digits": 19,
        "packaging": {"CTN": "1"},
        "carriers": {"UPS": "UNITED"},
        "payment_methods": {"T": "TRANSFER"},
        "promised_date": "002",
    }
    with pytest.raises(InvalidArgument) as caught:
        x12.Partner.load(wrong)
    for name in wrong:
        assert name in str(caught.value), name
    assert "Terms" in str(caught.value)


def test_unknown_and_missing_settings_are_told_with_the_others():
    with pytest.raises(InvalidArgument) as caught:
        x12.Partner.load({"sender": ["ZZ", "ACME"], "colour": "blue", "usage": "X"})
    assert all(word in str(caught.value) for word in ("'colour'", "receiver is missing", "usage='X'"))
    with pytest.raises(InvalidArgument, match="2 fault"):
        x12.Partner.load({"sender": ["ZZ", "ACME"], "colour": "blue"})


@pytest.mark.parametrize("delimiters", [{"element": "A"}, {"colour": "*"}, "*~>^"])
def test_delimiters_are_checked(delimiters):
    with pytest.raises(InvalidArgument, match="delimiters"):
        partner(delimiters=delimiters)


@pytest.mark.parametrize(
    "options",
    [
        {"sender": x12.Id("ZZ", "A*B")},
        {"sender": x12.Id("ZZ", "ends with ")},
        {"sender": x12.Id("ZZ", "much too long an id")},
        {"sender": x12.Id("ZZ", "Zoë")},
        {"sender": x12.Id("ZZ", 5)},
        {"references": 5},
        {"terms": 5},
        {"terms": {"N": x12.Terms(percent="much")}},
        {"parties": {"1": "x"}},
        {"originator": "123456789"},
        {"line_as_id": "Z"},
        {"line_as_id": "VP"},
        {"originator": "12345678-0"},
    ],
)
def test_what_cannot_be_meant_is_refused(options):
    with pytest.raises(InvalidArgument):
        partner(**options)


@pytest.mark.parametrize(("name", "text"), [("x.toml", "= broken"), ("x.json", "[1]"), ("x.json", "{")])
def test_a_file_that_is_no_profile_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(InvalidArgument):
        x12.Partner.load(tmp_path / name)
    with pytest.raises(InvalidArgument):
        x12.Partner.load(tmp_path / "missing.toml")


def test_a_tzinfo_is_taken_as_it_is():
    assert partner(time_zone=dt.UTC).time_zone is dt.UTC
