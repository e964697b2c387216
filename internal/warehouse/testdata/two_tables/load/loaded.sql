select rows_loaded from audit.loads where execution = {{execution}};
