"""Maps: two dimensions for a space of many, how far they can be trusted, and what lies where."""
