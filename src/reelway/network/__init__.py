"""Where we let outsiders send us: the guard in front of every connection to an address that a caller or a vendor gave."""
