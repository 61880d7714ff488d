"""Messages we send: made, signed and delivered as Standard Webhooks."""
