"""Performs: claims due jobs, drives adapters over one guarded transport, keeps results, never forgets."""
