"""What people and programs are shown of a project's state."""
