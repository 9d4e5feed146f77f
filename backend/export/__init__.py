"""What an owner takes away: labels, predictions, the model, the page as a report."""
