"""Reading files: tables and their rows, pictures and masks."""
