"""What is known of one request: RequestInfo, the caller, the trace."""
