"""What both of Google's surfaces do with a create: tell Veo from Omni, and read what was accepted."""

from collections.abc import Mapping
from typing import Any

from reelway.core.errors import UnexpectedResponse
from reelway.vendors.google_errors import submit_refusal
from reelway.vendors.google_interactions import Created
from reelway.vendors.google_veo import Operation
from reelway.vendors.spec import Accepted, HttpResponse, Submission
from reelway.vendors.wire import excerpt, expect, is_success

__all__ = ["accepted", "is_veo"]


def is_veo(submission: Submission) -> bool:
    """Tell Veo from Omni, by what the model is called here or, where an operator maps it to some other name, by its card."""
    return "veo" in submission.model.lower() or submission.request.card.startswith("veo")


def accepted(response: HttpResponse, submission: Submission, vendor: str, kept: Mapping[str, Any]) -> Accepted:
    """Return the operation: `{"operation"}` of Veo or `{"interaction"}` of Omni, with what the surface keeps beside it."""
    if not is_success(response):
        raise submit_refusal(response, submission, vendor)
    if is_veo(submission):
        name = expect(Operation, response).name
        operation, key = {"operation": name, **kept}, name.rpartition("/")[2]
    else:
        key = expect(Created, response).id
        operation = {"interaction": key, **kept}
    if not key:
        raise UnexpectedResponse(f"the request was accepted without an id: {excerpt(response)}")
    return Accepted(operation=operation, key=key)
