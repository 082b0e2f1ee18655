export function canApt(): boolean
export function hasApt(): boolean
export function hasSudo(): 'none' | 'asks' | 'free'
export function aptCommand(packages: readonly string[], root?: boolean): string
export function aptInstall(packages: readonly string[]): Promise<void>
