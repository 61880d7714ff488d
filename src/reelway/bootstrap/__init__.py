"""Puts the parts together: the only room that knows which stores, which assets and which vendors there are."""

from reelway.bootstrap.sandbox import serve_sandbox
from reelway.bootstrap.server import Server, serve

__all__ = ["Server", "serve", "serve_sandbox"]
