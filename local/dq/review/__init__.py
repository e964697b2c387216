"""Rule files checked before they decide anything: by AWS's grammar, against the columns, the sample and its faults."""
