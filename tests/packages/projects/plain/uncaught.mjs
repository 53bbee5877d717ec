const { CircuitBreaker } = await import(process.argv[2]);

new CircuitBreaker({ failureThreshold: 0 });
