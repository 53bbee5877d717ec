export const name = 'from a module';
export const failureThreshold = 1;
