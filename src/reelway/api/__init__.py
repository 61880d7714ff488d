"""The public server: the dialects over the service, keys, models, events, health, and the reference."""
