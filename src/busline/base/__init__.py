"""What every stage stands on: parameters, errors, files, seeds, the command line and the machine."""
