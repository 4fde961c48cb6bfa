"""Which instructions are sensitive and which are privileged, after Popek and Goldberg (1974)."""
