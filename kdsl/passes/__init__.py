"""Graph to graph, one file per pass; the pipeline as data."""
