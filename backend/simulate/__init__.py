"""`dubito simulate`: how many labels a project would have needed."""
