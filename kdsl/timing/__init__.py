"""How long every kernel of a compiled model takes: a module with clocks in it, measured, and reported in three forms."""
