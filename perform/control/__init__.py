"""What posts values from outside: one device a file."""
