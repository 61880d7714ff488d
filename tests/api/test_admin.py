"""What operators ask a running server: for admin keys alone, and without a secret of any attempt."""

import pytest
from tests.api.conftest import Ask


def signed(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def test_an_admin_sees_lost_submits(ask: Ask) -> None:
    """With the mark to search for; the address that vendors call back under stays inside."""
    answer = await ask("GET", "/admin/v1/submits?outcome=unknown", headers=signed("sk-admin"))
    assert answer.status == 200
    [submit] = answer.json["data"]
    assert (submit["video"], submit["attempts"][0]["reference"], submit["quoted"]) == ("video_1", "video_1-1", "0.40")
    assert b"secret" not in answer.body


@pytest.mark.parametrize(("key", "status"), [("sk-test", 403), ("sk-reader", 403), ("sk-unknown", 401)])
async def test_nobody_else_does(ask: Ask, key: str, status: int) -> None:
    """Not even whoever may create."""
    assert (await ask("GET", "/admin/v1/submits", headers=signed(key))).status == status


@pytest.mark.parametrize("query", ["outcome=accepted", "limit=0", "limit=101", "limit=x"])
async def test_what_cannot_be_listed_is_refused(ask: Ask, query: str) -> None:
    """Nothing is left out in silence."""
    assert (await ask("GET", f"/admin/v1/submits?{query}", headers=signed("sk-admin"))).status == 400
