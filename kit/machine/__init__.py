"""The bare machine: storage, bus, board, device tree and loader."""
