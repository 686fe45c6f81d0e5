"""The ten questions of docs/tables.md, asked of the captures that come with amtdecode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.tables.questions import answer, make, questions

if TYPE_CHECKING:
    from pathlib import Path

ASKED = questions()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("tables")
    return make(str(folder / "made"))


def test_there_are_ten() -> None:
    assert len(ASKED) == 10


@pytest.mark.parametrize(("title", "sql", "told"), ASKED, ids=[title for title, _, _ in ASKED])
def test_answers(base: Any, title: str, sql: str, told: str) -> None:
    assert told.count("\n") >= 1, "a question without an answer shows nothing"
    assert answer(base, sql) == told
