"""Make-believe vendors: the dialects over a small renderer, with faults on request."""
