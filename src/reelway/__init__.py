"""Reelway: one API for every video model."""

__all__ = ["__version__"]

__version__ = "0.1.0"
