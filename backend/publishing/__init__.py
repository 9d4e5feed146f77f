"""Writing the order of the tasks into Label Studio, as prediction scores."""
