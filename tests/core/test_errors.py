"""Surprises say whose turn it is to act."""

import errno
import os

import pytest

from reelway.core import errors
from reelway.core.disk import disk_failed
from reelway.core.errors import CallerError, GatewayError, InvalidRequest, RateLimited, ReelwayError, VendorError

_ALL = [getattr(errors, name) for name in errors.__all__]
_FAMILIES = (CallerError, VendorError, GatewayError)
_CALLERS = [kind for kind in _ALL if issubclass(kind, CallerError)]


@pytest.mark.parametrize("kind", _ALL)
def test_every_error_belongs_to_one_family(kind: type[ReelwayError]) -> None:
    """The caller's turn, the vendor's, or ours; never two of them."""
    assert kind is ReelwayError or sum(issubclass(kind, family) for family in _FAMILIES) == 1


@pytest.mark.parametrize("kind", _CALLERS)
def test_every_callers_error_fills_the_envelope(kind: type[CallerError]) -> None:
    """Status, type and code are known before anybody raises it."""
    raised = kind("seconds must be 5 or 10 (got 7)", param="seconds")
    assert 400 <= raised.status < 600
    assert raised.type
    assert raised.code or kind is CallerError
    assert (raised.message, str(raised), raised.param) == ("seconds must be 5 or 10 (got 7)",) * 2 + ("seconds",)


def test_a_code_can_be_more_precise_than_its_class() -> None:
    """One class, several public codes."""
    assert InvalidRequest("no").code == "invalid_value"
    assert InvalidRequest("no", code="conflicting_parameters").code == "conflicting_parameters"
    assert RateLimited("later", retry_after_seconds=3).retry_after_seconds == 3


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EMFILE, errno.ENOLCK])
def test_a_disk_that_refuses_is_named_with_a_way_out(number: int) -> None:
    """The place, the system's own words, and what to do."""
    said = str(disk_failed(OSError(number, os.strerror(number)), "/data/reelway"))
    assert said.startswith("/data/reelway: ")
    assert said.endswith(f"({os.strerror(number)})")
    assert ":" in said.removeprefix("/data/reelway: ")
