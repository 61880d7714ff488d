"""The built-in cards, one TOML file a vendor."""
