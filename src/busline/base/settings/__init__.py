"""The sections of params.yaml, a file a subject: every key's type, range and meaning."""
