"""The tables: whole, well formed, and saying what their sources say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amtdecode.protocols.soap import tables
from amtdecode.protocols.soap.pt_status import PT_STATUS, pt_status, pt_text
from amtdecode.protocols.soap.values import Values


@pytest.mark.parametrize("name", ["classes", "services", "values", "returns", "steps"])
def test_each_table_states_its_source_and_is_rectangular(name):
    text = Path(tables._DATA, f"{name}.tsv").read_text("utf-8")
    assert "Source" in text.split("\n", 2)[0] + text.split("\n", 2)[1]
    rows = tables._rows(name)
    assert len({len(row) for row in rows}) == 1
    assert len({tuple(row) for row in rows}) == len(rows)


def test_all_known_classes(shared):
    listed = set((shared / "data/wsman/class_list.txt").read_text().split())
    assert set(tables.classes()) == listed
    assert len(listed) == 261
    assert all(parent == "" or parent in listed for parent in tables.classes().values())


def test_every_class_with_values_steps_or_returns_is_known():
    known = set(tables.classes()) | set(tables.services().values()) | {"*"}
    known.add("CIM_Battery")  # of later firmware than that table
    assert {owner for owner, _, _ in tables._values()} <= known
    assert set(tables._steps()) <= known
    assert {owner for owner, _ in tables._returns()} <= known


def test_pt_status_against_the_reference(shared):
    text = (shared / "reference/protocols.md").read_text()
    part = text[text.index("### 8.3") : text.index("### 8.4")]
    part = part[: part.index("1000..100A")]
    found = {int(code, 16): name for code, name in re.findall(r"\b([0-9A-F]{1,3}) ([A-Z][A-Z0-9_]{3,})\b", part)}
    assert len(found) > 70
    for code, name in found.items():
        if code >> 4 != 0x20:  # 0x200 to 0x203 are written there as one
            assert PT_STATUS[code].name == name, hex(code)


def test_pt_status_text():
    assert pt_text(0x809) == "PT_STATUS 0x809 DATA_MISSING"
    assert pt_text(32768 + 0x809) == "PT_STATUS 0x809 DATA_MISSING"
    assert pt_text(0x7777) == "PT_STATUS 0x7777"
    assert pt_status(32768) == PT_STATUS[0]
    assert pt_status(0x7777) is None


@pytest.mark.parametrize(
    ("owner", "scope", "path", "value", "name"),
    [
        ("CIM_PowerManagementService", "RequestPowerStateChange_INPUT", "PowerState", "5", "Power Cycle (Off Soft)"),
        ("CIM_AssociatedPowerManagementService", "", "PowerState", "2", "Power On"),
        (
            "AMT_SetupAndConfigurationService",
            "AMT_SetupAndConfigurationService",
            "ProvisioningState",
            "0",
            "pre-provisioning",
        ),
        (
            "AMT_SetupAndConfigurationService",
            "Unprovision_INPUT",
            "ProvisioningMode",
            "1",
            "ProvisioningModeEnterprise",
        ),
        ("AMT_WebUIService", "RequestStateChange_INPUT", "RequestedState", "2", "Enabled"),
        ("AMT_RedirectionService", "RequestStateChange_INPUT", "RequestedState", "32770", "IDE-R off, SOL on"),
        ("IPS_HostBasedSetupService", "", "CurrentControlMode", "2", "Admin"),
        ("AMT_MessageLog", "", "EnabledState", "2", "Enabled"),
        ("NoSuchClass", "", "EnabledState", "3", "Disabled"),
        ("CIM_PowerManagementService", "RequestPowerStateChange_INPUT", "PowerState", "99", ""),
        ("CIM_PowerManagementService", "RequestPowerStateChange_INPUT", "PowerState", "9" * 5000, ""),
        ("CIM_PowerManagementService", "RequestPowerStateChange_INPUT", "PowerState", "²", ""),
        ("CIM_PowerManagementService", "RequestPowerStateChange_INPUT", "PowerState", "-2", ""),
        ("CIM_PowerManagementService", "", "NoSuchProperty", "1", ""),
    ],
)
def test_value_names(owner, scope, path, value, name):
    assert tables.value_name(owner, scope, path, value) == name


NAMES = st.lists(
    st.sampled_from(
        ("Password", "@Key", "AMT_MPSUsernamePassword", "Name", "PIN", "X[Secret]", "X[a/PSK]", "x[1]", "Pps2", "")
    )
    | st.text("aKey/[]@_1", max_size=5),
    max_size=4,
).map("/".join)


@given(st.lists(st.tuples(NAMES, st.just("v")), max_size=6))
def test_values_are_shown_unless_their_path_tells_a_secret(pairs):
    lines = Values(pairs).lines
    assert lines.shown == [f"{path}=v" for path, _ in pairs if not tables.is_secret(path)]
    assert lines.hidden == [f"{path}=v" for path, _ in pairs if tables.is_secret(path)]
