"""The files an administrator has: certificates and PEM chains, setup.bin, .reg, SCS and other logs."""
