"""The light function: no image library."""
