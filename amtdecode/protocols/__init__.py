"""One room per protocol."""
