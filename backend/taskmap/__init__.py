"""The task map: a project's tasks as points in the plane."""
