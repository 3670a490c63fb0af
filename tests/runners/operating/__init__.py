"""What a person does past the node."""
