"""From settings to the limits that each part is given."""

from reelway.engine.tools import EngineLimits
from reelway.engine.transport import TimeLimits
from reelway.mounting.bodies import BodyLimits
from reelway.service import ServiceLimits
from reelway.settings import Settings

__all__ = ["body_limits", "engine_limits", "service_limits", "time_limits"]


def body_limits(settings: Settings) -> BodyLimits:
    return BodyLimits(
        body_bytes=settings.max_body_bytes, file_bytes=settings.max_upload_bytes, text_bytes=settings.max_json_bytes
    )


def engine_limits(settings: Settings) -> EngineLimits:
    return EngineLimits(
        lease_seconds=settings.lease_seconds,
        shortest_poll_seconds=settings.poll_shortest_seconds,
        longest_poll_seconds=settings.poll_longest_seconds,
        lookup_pause_seconds=settings.lookup_seconds,
        arrival_seconds=settings.arrival_seconds,
        callback_wait_seconds=settings.callback_wait_seconds,
        output_bytes=settings.max_output_bytes,
        download_seconds=settings.download_seconds,
        store_seconds=settings.store_seconds,
        collects_at_once=settings.collects_at_once,
        retention_seconds=settings.retention_days * 86_400,
        input_retention_seconds=settings.input_retention_hours * 3_600,
    )


def time_limits(settings: Settings) -> TimeLimits:
    return TimeLimits(
        connect=settings.connect_seconds,
        read=settings.read_seconds,
        total=settings.request_seconds,
        arrival=settings.arrival_seconds,
        download_total=settings.download_seconds,
    )


def service_limits(settings: Settings) -> ServiceLimits:
    return ServiceLimits(
        b64_json_bytes=settings.b64_json_limit_bytes,
        unfinished_per_key=settings.max_unfinished_per_key,
        unfinished_per_user=settings.max_unfinished_per_user,
    )
