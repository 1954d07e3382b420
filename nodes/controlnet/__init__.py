"""Steering a denoiser with pictures (ControlNet)."""
