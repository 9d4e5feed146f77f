"""`dubito cut`: from long recordings to tasks."""
