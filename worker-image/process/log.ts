/** Logs facts for the administrator, one JSON line each on standard error; standard output belongs to the voice. */
export type Log = (event: string, facts?: Record<string, unknown>) => void

/** @param secrets values that are cut from every line */
export function createLog(secrets: readonly string[], write: (line: string) => void): Log {
  return (event, facts = {}) => write(`${redacted(JSON.stringify({ at: new Date().toISOString(), event, ...facts }), secrets)}\n`)
}

/** @returns the text without the secrets */
export function redacted(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text)
}
