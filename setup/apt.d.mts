export function canApt(): boolean
export function aptCommand(packages: readonly string[]): string
export function aptInstall(packages: readonly string[]): void
