/** @returns for how many whole minutes nothing was heard; 0 is not worth a word */
export const quietMinutes = (ms: number): number => Math.max(0, Math.floor(ms / 60_000))
