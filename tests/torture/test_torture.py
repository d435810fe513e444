"""A short run of every flow under fire; the long ones are ``python -m tests.torture``."""

from __future__ import annotations

import pytest

from tests.torture.harness import systematic, table, torture
from tests.torture.mutations import MUTATIONS
from tests.torture.sites import SITES

SURE = (
    "cursor written with the last page",
    "fingerprint against the latest only",
    "newest revision only",
    "one open delivery per key",
    "intent before send",
    "token in every transaction",
    "numbers taken in the intent",
    "same bytes and numbers when settling",
    "stored before deleted",
    "997 owed stored with the message",
)
"""Rules whose absence shows within seconds; the others by ``--mutation``."""


@pytest.mark.parametrize("flow", SITES)
def test_nothing_is_lost_doubled_or_wrong_through_faults_and_kills(flow: str) -> None:
    result = torture(flow, documents=60, kills=3, seed=11, deletes=0.2)
    assert result.ok, f"{result}\n{table([result])}"
    assert result.kills >= 3
    assert result.faults.total() > 2


def test_two_workers_on_one_ledger_double_nothing() -> None:
    result = torture("jde_to_cleo", documents=30, kills=2, seed=12, workers=2)
    assert result.ok, f"{result}\n{table([result])}"


@pytest.mark.parametrize("flow", ["jde_to_cleo", "jde_to_coupa"])
def test_nothing_is_lost_doubled_or_wrong_with_several_under_way(flow: str) -> None:
    result = torture(flow, documents=60, kills=3, seed=14, in_flight=8)
    assert result.ok, f"{result}\n{table([result])}"
    assert result.kills >= 3


def test_a_kill_at_a_step_is_followed_by_a_worker_that_finishes_once() -> None:
    for result in systematic("jde_to_cleo", documents=6, seed=13, first=9, stride=60):
        assert result.ok, str(result)


@pytest.mark.parametrize("rule", SURE)
def test_a_worker_without_a_safety_rule_is_found_out(rule: str) -> None:
    mutation = MUTATIONS[rule]
    options = {"documents": 60, "kills": 6, **mutation.options}
    assert any(torture(mutation.flow, mutation=rule, seed=seed, **options).found_out for seed in range(1, 7))
