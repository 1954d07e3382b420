"""Sampling: noise schedules, denoisers and solvers."""
