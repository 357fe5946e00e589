"""What a training stage calls: arrays and tables in, arrays and tables out, no paths."""
