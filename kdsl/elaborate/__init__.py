"""From tree to graph: names, compile-time values, shapes."""
