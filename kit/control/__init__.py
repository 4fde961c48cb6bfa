"""What an operator needs around the VMM kernel: virtual machines, policies, consoles."""
