"""Puts the parts together: the only module that knows which store, which assets and which vendors there are."""
