"""Query strategies: which tasks are labelled next."""
