"""The `reelway` command."""
