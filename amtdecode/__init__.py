"""Decodes Intel AMT (vPro) provisioning traffic, and explains where it stopped."""

__version__ = "0.1.0"
