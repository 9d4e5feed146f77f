"""From events to labels to a round."""
