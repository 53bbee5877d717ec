export declare const order: string;
export declare const letters: string;
