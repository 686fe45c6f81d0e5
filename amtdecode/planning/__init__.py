"""The steps of setting machines up, and how a story proves them."""
