"""Graph to graph, one file per pass; their order is `kdsl/passes/pipeline.py`."""
