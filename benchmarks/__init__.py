"""Throughput against named baselines, in one run: `python -m benchmarks.run`."""
