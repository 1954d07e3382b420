"""Sampling put together from its parts: noise, guider, sampler, sigmas."""
