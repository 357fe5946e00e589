"""Lesions that annotation tools wrote down as shapes: files read, matched to images, and drawn."""
