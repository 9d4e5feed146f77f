"""Calls to others over HTTP: by which proxy, with which certificates, and why not."""
