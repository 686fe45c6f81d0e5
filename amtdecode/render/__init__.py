"""Observations and findings for people and programs. Captured text passes `safe` on its way to a terminal."""
