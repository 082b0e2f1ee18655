export function nodeFault(version: string): string | null
export function installPackages(root: URL): Promise<void>
export function readNpm(): (line: string) => string | null
