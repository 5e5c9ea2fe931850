"""Deterministic simulation of filing (promises P3 to P8): see `docs/safety.md`. `python -m tests.simulation SEED` repeats one."""
