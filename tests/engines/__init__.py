"""What docs/backends says, in the engines themselves."""
