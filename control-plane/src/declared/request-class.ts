/** How urgent a request is, the most urgent first. */
export const REQUEST_CLASSES = ['interactive', 'normal', 'batch'] as const;
export type RequestClass = (typeof REQUEST_CLASSES)[number];
