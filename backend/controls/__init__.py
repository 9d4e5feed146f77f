"""The kinds of controls: how an answer to each looks in Label Studio."""
