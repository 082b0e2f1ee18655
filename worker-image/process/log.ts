/** Facts for whoever runs the server, a JSON line each on standard error; standard output belongs to the voice. */
export type Log = (event: string, facts?: Record<string, unknown>) => void

/** @param secrets values that are cut from every line */
export function createLog(secrets: readonly string[], write: (line: string) => void): Log {
  return (event, facts = {}) => {
    const line = JSON.stringify({ at: new Date().toISOString(), event, ...facts })
    write(`${secrets.reduce((text, secret) => text.replaceAll(secret, '[redacted]'), line)}\n`)
  }
}
