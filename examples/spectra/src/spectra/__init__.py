"""A warehouse behind an API: one layer, three thin functions."""
