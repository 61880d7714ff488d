"""Use cases: what a caller can do with videos, whatever dialect it speaks. Decides who may; the engine performs."""

from reelway.service.contents import Content
from reelway.service.reading import VideoEvent
from reelway.service.videos import Service, ServiceLimits

__all__ = ["Content", "Service", "ServiceLimits", "VideoEvent"]
