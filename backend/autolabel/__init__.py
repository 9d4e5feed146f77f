"""Automatic labels: the tasks that nobody labels, labelled by the model on request."""
