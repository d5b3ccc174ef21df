export const part = "is run";
