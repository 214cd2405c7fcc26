"""A test card, drawn rather than stored, so that it is sharp at every size."""
