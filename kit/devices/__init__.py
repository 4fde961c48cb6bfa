"""Device models: one device to a file, used by real and by virtual machines alike."""
