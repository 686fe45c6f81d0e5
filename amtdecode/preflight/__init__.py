"""Before the first machine is set up: whether all is ready, and the texts that make it so."""
